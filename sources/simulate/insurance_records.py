"""Registers of social insurance that name one person: premiums paid, pension joined and drawn, unemployment insurance.

A month's pay is a twelfth of last year's salary, where the tax office knows one.
"""

import polars as pl

from sources.simulate.documents import day, numbered
from sources.simulate.draws import TODAY, below, day_before, digits, months_before, pick, settled, share, years_ago
from sources.simulate.parties import KEY, is_adult, issued, keyed, residents
from sources.simulate.rates import REGISTERED
from sources.simulate.store import Frames, Instants

HEALTH_SHARE, CARE_SHARE = 3_595, 1_314  # of pay in 100,000, of the premium in 10,000
PENSION_PAY = (400_000, 6_370_000)
PENSION_AGE, LAST_JOINING_AGE = 62, 60
PAID_MONTHS = 6


def _pay(base: Frames) -> pl.DataFrame:
    """A month's pay of everyone who had a salary, by the last year told."""
    salaries = base["incomes"].filter(pl.col("salary").is_not_null()).sort("person_id", "year")
    salaries = salaries.unique("person_id", keep="last", maintain_order=True)
    return salaries.select("person_id", salary=pl.col("salary") // 12)


def _month(column: str) -> pl.Expr:
    """A YYYYMM as a number of months, so that lines need no sorting to be numbered."""
    return pl.col(column).str.slice(0, 4).cast(pl.Int32) * 12 + pl.col(column).str.slice(4).cast(pl.Int32)


def _with_pay(found: pl.DataFrame, base: Frames) -> pl.DataFrame:
    drawn = 1_800_000 + below(KEY, "pay", 300) * 10_000
    found = found.join(_pay(base), on="person_id", how="left", maintain_order="left")
    return found.with_columns(pay=pl.coalesce("salary", drawn) // 1_000 * 1_000)


def health_insurance_premiums(base: Frames, instants: Instants) -> Frames:
    """HIPM: workplace and local subscribers, the months of the last year in which each was one."""
    running = base["insurance"].filter(pl.col("kind").is_in(["1", "5"]) & pl.col("lost").is_null())
    running = running.unique("person_id", keep="last", maintain_order=True)
    found = residents(base, instants).join(
        running.select("person_id", "kind", "acquired"), on="person_id", maintain_order="left"
    )
    found = keyed("HIPM", _with_pay(found, base))
    by_work = pl.col("kind") == "1"
    premium = (
        pl.when(by_work)
        .then(pl.col("pay") * HEALTH_SHARE // 100_000)
        .otherwise(20_000 + below(KEY, "local premium", 18_000) * 10)
    )
    late = share(KEY, "premium arrears") < REGISTERED["premium_arrears"]
    found = found.with_columns(
        premium=premium // 10 * 10, unpaid=pl.when(late).then(1 + below(KEY, "unpaid", 6)).otherwise(0)
    ).with_columns(care=pl.col("premium") * CARE_SHARE // 10_000 // 10 * 10)
    months = months_before(12)
    listed = pl.DataFrame({"PAY_YM": months, "left": range(len(months), 0, -1)}, schema_overrides={"left": pl.Int64})
    first = pl.max_horizontal(pl.lit(months[0]), pl.col("acquired").dt.strftime("%Y%m"))
    lines = found.with_columns(first=first).join(listed, how="cross").filter(pl.col("PAY_YM") >= pl.col("first"))
    is_unpaid = pl.col("left") <= pl.col("unpaid")
    owed = lines.filter(is_unpaid).group_by("record_id").agg(owed=(pl.col("premium") + pl.col("care")).sum())
    found = found.join(owed, on="record_id", how="left", maintain_order="left")
    header = issued("HIPM", found, "rrn", SBSR_NM="name", NPMNT_AMT=pl.col("owed").fill_null(0))
    lines = lines.select(
        "record_id",
        "changed_at",
        (_month("PAY_YM") - _month("first") + 1).cast(pl.Int32).alias("line_no"),
        "PAY_YM",
        HLTH_ISPM="premium",
        LTC_ISPM="care",
        HLTH_INSRNC_MRAMT=pl.when(by_work).then("pay"),
        PAY_YN=pl.when(is_unpaid).then(pl.lit("N")).otherwise(pl.lit("Y")),
    )
    return {"health_insurance_premiums": header, "health_insurance_premiums__months": lines}


def _periods(base: Frames) -> pl.DataFrame:
    """Every period at an employer: person, firm and its number, first and last day."""
    employers = base["corporations"].select("corporation_id", "brn", firm="name")
    worked = base["insurance"].filter(pl.col("kind") == "1")
    return worked.join(employers, on="corporation_id", maintain_order="left").select(
        "person_id", "firm", "brn", "acquired", "lost"
    )


def pension_coverage_certificate(base: Frames, instants: Instants) -> Frames:
    """NPSC: residents of 18 to 59 who were ever insured by work, or run a shop."""
    is_of_age = is_adult(18) & (pl.col("born") > years_ago(LAST_JOINING_AGE))
    people = _with_pay(residents(base, instants).filter(is_of_age), base)
    worked = people.join(_periods(base), on="person_id").with_columns(kind=pl.lit("1"))
    shops = base["incomes"].filter(pl.col("kind") == "20").select("person_id").unique()
    came = pl.col("born").dt.offset_by("18y")
    own = people.join(shops, on="person_id", how="semi").with_columns(
        firm=pl.lit(None, pl.String),
        brn=pl.lit(None, pl.String),
        acquired=pl.max_horizontal(day_before(settled(), KEY, "pension", 1_300, 4_000), came),
        lost=pl.lit(None, pl.Date),
        kind=pick(KEY, "pension kind", {"2": 0.95, "3": 0.05}),
    )
    lines = pl.concat([worked, own]).with_columns(acquired=pl.max_horizontal("acquired", came))
    lines = keyed("NPSC", lines.filter(pl.col("lost").is_null() | (pl.col("lost") >= pl.col("acquired"))))
    until = pl.max_horizontal(pl.col("lost").fill_null(pl.lit(TODAY)), "acquired")
    months = (until - pl.col("acquired")).dt.total_days() // 30
    joined = lines.group_by("person_id").agg(months=months.sum().cast(pl.Int64))
    found = people.join(joined, on="person_id", maintain_order="left")
    low, high = PENSION_PAY
    excepted = pl.when(share(KEY, "excepted") < 0.15).then(below(KEY, "excepted months", 12)).otherwise(0)
    header = issued(
        "NPSC",
        found,
        "rrn",
        SBSR_NM="name",
        NPN_CRTR_MINAMT=pl.col("pay").clip(low, high),
        JOIN_MCNT="months",
        PAY_EXCP_MCNT=pl.min_horizontal(excepted, "months"),
    )
    lines = numbered(lines, "acquired", "lost", "brn").select(
        "record_id",
        "changed_at",
        "line_no",
        SBSR_SE_CD="kind",
        BPLC_NM="firm",
        NPN_ACQS_YMD=day("acquired"),
        NPN_LOSE_YMD=day("lost"),
    )
    return {"pension_coverage_certificate": header, "pension_coverage_certificate__history": lines}


def pension_benefit_certificate(base: Frames, instants: Instants) -> Frames:
    """NPSB: most residents of 62 and more, and widows and widowers; the last half year's payments."""
    dead = base["persons"].filter(pl.col("died").is_not_null()).select(spouse_id="person_id", spouse_died="died")
    people = residents(base, instants).join(dead, on="spouse_id", how="left", maintain_order="left")
    entitled = pl.col("born").dt.offset_by(f"{PENSION_AGE}y").dt.month_start().dt.offset_by("1mo")
    is_old = (entitled <= settled()) & (share(KEY, "old age pension") < REGISTERED["old_age_pension"])
    is_survivor = pl.col("spouse_died").is_not_null()
    own = pick(KEY, "pension benefit", {"10": 0.94, "20": 0.03, "40": 0.03})
    found = people.filter(is_old | is_survivor).with_columns(
        kind=pl.when(is_old).then(own).otherwise(pl.lit("30")),
        since=pl.when(is_old).then(entitled).otherwise("spouse_died"),
        amount=(20 + below(KEY, "pension", 120)) * 10_000,
    )
    found = keyed("NPSB", found)
    header = issued(
        "NPSB",
        found,
        "rrn",
        RECPNT_NM="name",
        BNFT_KND_CD="kind",
        RECP_BGNG_YMD=day("since"),
        ACTNO=digits(KEY, "account", 14),
    )
    days = pl.DataFrame({"paid": [f"{m}25" for m in months_before(PAID_MONTHS + 1)[:-1]]})
    lines = numbered(found.join(days, how="cross").filter(pl.col("paid") >= day("since")), "paid")
    lines = lines.select("record_id", "changed_at", "line_no", SLRY_GIVE_YMD="paid", PN_AMT="amount")
    return {"pension_benefit_certificate": header, "pension_benefit_certificate__payments": lines}


def employment_insurance_history(base: Frames, instants: Instants) -> Frames:
    """EMPI: residents who are or were employees. Days insured count in the 18 months before the world's first day."""
    people = keyed("EMPI", _with_pay(residents(base, instants), base))
    lines = people.join(_periods(base), on="person_id")
    window = pl.lit(TODAY).dt.offset_by("-18mo")
    inside = pl.min_horizontal(pl.col("lost").fill_null(pl.lit(TODAY)), pl.lit(TODAY))
    covered = (inside - pl.max_horizontal("acquired", window)).dt.total_days().clip(0)
    days = lines.group_by("person_id").agg(days=(covered.sum() * 6 // 7).cast(pl.Int64))
    found = people.join(days, on="person_id", maintain_order="left")
    header = issued(
        "EMPI",
        found,
        "rrn",
        WRKR_NM="name",
        AVG_WG_AMT=pl.col("pay") // 30 // 10 * 10,
        INSR_UNIT_PRD_DAY_CNT="days",
    )
    lines = numbered(lines, "acquired", "lost", "brn")
    is_retired = pl.col("lost").dt.year() - pl.col("born").dt.year() >= LAST_JOINING_AGE
    drawn = pick(KEY * 64 + pl.col("line_no"), "leaving", {"11": 0.55, "23": 0.2, "32": 0.22, "26": 0.03})
    reason = pl.when(is_retired).then(pl.lit("31")).otherwise(drawn)
    lines = lines.select(
        "record_id",
        "changed_at",
        "line_no",
        BPLC_NM="firm",
        BPLC_MNG_NO=pl.col("brn") + "0",
        EPIS_ACQS_YMD=day("acquired"),
        EPIS_LOSE_YMD=day("lost"),
        LOSE_RSN_CD=pl.when(pl.col("lost").is_not_null()).then(reason),
    )
    return {"employment_insurance_history": header, "employment_insurance_history__history": lines}
