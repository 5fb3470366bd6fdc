"""The court's registers of single persons: birth and death, marriage and its end, guardianship.

Nobody wrote down when two married or parted, so both days are drawn from the couple's two numbers, between what the
base tables do tell: both were grown up, the children of an earlier marriage came before, common children after.
"""

from datetime import date, timedelta

import polars as pl

from sources.simulate.documents import day, numbered
from sources.simulate.draws import TODAY, day_before, day_between, digits, pick, settled, share
from sources.simulate.parties import KEY, is_adult, is_national, issued, keyed, residents
from sources.simulate.rates import OLD_BIRTHS, REGISTERED
from sources.simulate.store import Frames, Instants

MARRIED, DIVORCED, WIDOWED, SINGLE = "1", "2", "3", "4"
COURTS = (
    "서울가정법원",
    "인천가정법원",
    "수원가정법원",
    "대전가정법원",
    "대구가정법원",
    "부산가정법원",
    "광주가정법원",
)
POWERS = "부동산의 처분, 예금의 관리, 의료행위의 동의에 관한 대리권"
CONSENTS = "금전을 빌리는 행위, 보증, 부동산의 처분에 관한 동의"
LIMITED = "2"
FIRST_MARRIAGE_DAYS = 18 * 366
FIRST_LUNAR_BIRTH, LAST_OLD_BIRTH = date(1901, 1, 1), date(1960, 1, 1)  # the list of lunar months begins in 1900


def basic_certificate(base: Frames, instants: Instants) -> Frames:
    """BASC: nationals, also the dead. A minor's living parent holds custody; without one, a guardian is named.

    An old birth may be entered by the lunar calendar (forms.py writes it so), or without its day, or its month.
    """
    people = base["persons"].filter(is_national())
    found = people.join(instants.people, on="person_id", maintain_order="left").with_columns(
        number=pl.col("person_id").cast(pl.Int64)
    )
    homes = base["households"].select("household_id", "head_id")
    found = found.join(homes, on="household_id", how="left", maintain_order="left")
    living = base["persons"].filter(pl.col("died").is_null())
    for role in ("father", "mother", "head"):
        named = living.select(
            pl.col("person_id").alias(f"{role}_id"),
            pl.col("name").alias(role),
            pl.col("household_id").alias(f"{role}_home"),
        )
        found = found.join(named, on=f"{role}_id", how="left", maintain_order="left")
    at_home = [pl.when(pl.col(f"{p}_home") == pl.col("household_id")).then(p) for p in ("father", "mother")]
    custodian = pl.coalesce(*at_home, "father", "mother")
    is_minor = ~is_adult() & pl.col("died").is_null()
    is_other = pl.col("head_id") != pl.col("person_id")
    renamed = day_before(settled(), KEY, "renamed", 0, 1_400).dt.strftime("%Y%m%d")
    is_old = pl.col("born") < pl.lit(LAST_OLD_BIRTH)
    entered = pick(KEY, "birth entered", {**OLD_BIRTHS, "whole": 1 - sum(OLD_BIRTHS.values())})
    header = issued(
        "BASC",
        found,
        "rrn",
        REGSTD_PLC="registered_place",
        SELF_FLNM="name",
        BRTH_YMD=pl.when(is_old & (entered == "no day"))
        .then(day("born").str.head(6) + "00")
        .when(is_old & (entered == "no month"))
        .then(day("born").str.head(4) + "0000")
        .otherwise(day("born")),
        LNCL_YN=pl.when(is_old & (entered == "lunar") & (pl.col("born") >= pl.lit(FIRST_LUNAR_BIRTH)))
        .then(pl.lit("Y"))
        .otherwise(pl.lit("N")),
        BRTH_PLC_NM=pl.col("registered_place").str.replace(r" \d+$", ""),
        DTH_YMD=day("died"),
        NTNLTY_LOSE_YMD=pl.lit(None, pl.String),
        RNM_YMD=pl.when(pl.col("former_name").is_not_null()).then(renamed),
        PTRP_NM=pl.when(is_minor).then(custodian),
        MNR_GRDN_NM=pl.when(is_minor & custodian.is_null() & is_other).then("head"),
        NTNLTY_ACQS_YMD=pl.lit(None, pl.String),
    )
    return {"basic_certificate": header}


def _couples(people: pl.DataFrame) -> pl.DataFrame:
    """Every pair that has children or is married: `first_child`, `last_child`, `is_married`, a `key` to draw by."""
    parents = people.select(
        pl.min_horizontal("father_id", "mother_id").alias("one"),
        pl.max_horizontal("father_id", "mother_id").alias("other"),
        "born",
        is_pair=pl.col("father_id").is_not_null() & pl.col("mother_id").is_not_null(),
    ).filter("is_pair")
    children = parents.group_by("one", "other").agg(first_child=pl.col("born").min(), last_child=pl.col("born").max())
    married = people.filter(pl.col("spouse_id").is_not_null()).select(
        one=pl.min_horizontal("person_id", "spouse_id"), other=pl.max_horizontal("person_id", "spouse_id")
    )
    married = married.unique().with_columns(is_married=pl.lit(True))
    pairs = children.join(married, on=["one", "other"], how="full", coalesce=True).with_columns(
        pl.col("is_married").fill_null(False), key=pl.col("one").cast(pl.Int64) * 31 + pl.col("other")
    )
    births = people.select(one="person_id", born="born", died="died")
    pairs = pairs.join(births, on="one", how="left")
    return pairs.join(births.rename({"one": "other"}), on="other", how="left", suffix="_other")


def _divorces(pairs: pl.DataFrame) -> pl.DataFrame:
    """Who parted and when, a line for each of the two: parents of a common child who are not married (any more)."""
    parted = pairs.filter(~pl.col("is_married"))
    until = pl.min_horizontal(pl.col("last_child").dt.offset_by("230d"), pl.lit(settled() - timedelta(days=30)))
    parted = parted.with_columns(
        parted=day_between(pl.col("last_child").dt.offset_by("30d"), until, pl.col("key"), "parted")
    )
    return pl.concat([parted.select("parted", person_id=who) for who in ("one", "other")])


def _marriages(pairs: pl.DataFrame, divorces: pl.DataFrame) -> pl.DataFrame:
    """Since when each of two is married to the other, dead or alive."""
    together = pairs.filter("is_married")
    freed = divorces.group_by("person_id").agg(freed=pl.col("parted").max())
    for who in ("one", "other"):
        together = together.join(freed.rename({"person_id": who, "freed": f"freed_{who}"}), on=who, how="left")
    grown = (pl.max_horizontal("born", "born_other").cast(pl.Int32) + FIRST_MARRIAGE_DAYS).cast(pl.Date)
    first = pl.max_horizontal(grown, pl.col("freed_one").dt.offset_by("1d"), pl.col("freed_other").dt.offset_by("1d"))
    last = pl.min_horizontal(
        grown.dt.offset_by("16y"),
        pl.col("first_child").dt.offset_by("-60d"),
        pl.col("died").dt.offset_by("-60d"),
        pl.col("died_other").dt.offset_by("-60d"),
        pl.lit(settled()),
    )
    together = together.with_columns(married=day_between(first, last, pl.col("key"), "married"))
    return pl.concat([together.select("married", person_id=who) for who in ("one", "other")])


def marriage_relation_certificate(base: Frames, instants: Instants) -> Frames:
    """MARR: adult nationals. Former marriages that a common child tells of show in the detailed one alone."""
    people = base["persons"]
    pairs = _couples(people)
    divorces = _divorces(pairs)
    marriages = _marriages(pairs, divorces).sort("person_id", "married").unique("person_id", keep="first")
    spouses = people.select(spouse_id="person_id", SPS_NM="name", spouse_died="died")
    was_married = divorces.select("person_id").unique().with_columns(is_divorced=pl.lit(True))
    found = residents(base, instants).filter(is_adult() & is_national())
    for table, on in ((spouses, "spouse_id"), (marriages, "person_id"), (was_married, "person_id")):
        found = found.join(table, on=on, how="left", maintain_order="left")
    found = keyed("MARR", found)
    state = (
        pl.when(pl.col("spouse_died").is_not_null())
        .then(pl.lit(WIDOWED))
        .when(pl.col("spouse_id").is_not_null())
        .then(pl.lit(MARRIED))
        .when("is_divorced")
        .then(pl.lit(DIVORCED))
        .otherwise(pl.lit(SINGLE))
    )
    header = issued(
        "MARR",
        found,
        "rrn",
        REGSTD_PLC="registered_place",
        SELF_FLNM="name",
        SPS_NM="SPS_NM",
        MRG_DCLR_YMD=day("married"),
        MRG_REL_SE_CD=state,
    )
    lines = found.select("person_id", "record_id", "changed_at").join(divorces, on="person_id")
    lines = numbered(lines, "parted").select(
        "record_id",
        "changed_at",
        "line_no",
        general_no=pl.lit(None, pl.Int32),
        DVRC_DCLR_YMD=day("parted"),
    )
    return {"marriage_relation_certificate": header, "marriage_relation_certificate__history": lines}


def _guardians(base: Frames, wards: pl.DataFrame) -> pl.DataFrame:
    """One guardian a ward: the eldest adult child, else the eldest other adult at home; nobody for some."""
    adults = base["persons"].filter(is_adult() & is_national() & pl.col("household_id").is_not_null())
    named = adults.select("person_id", "rrn", "name", "born", "household_id", "father_id", "mother_id").rename(
        {"person_id": "guardian_id", "household_id": "guardian_home"}
    )
    ward = wards.select(ward_id="person_id", home="household_id")
    columns = ["ward_id", "guardian_id", "rrn", "name", "born", "rank"]
    found = [
        ward.join(named, left_on="ward_id", right_on=p, how="inner").with_columns(rank=pl.lit(0)).select(columns)
        for p in ("father_id", "mother_id")
    ]
    at_home = ward.join(named, left_on="home", right_on="guardian_home").filter(
        pl.col("ward_id") != pl.col("guardian_id")
    )
    found.append(at_home.with_columns(rank=pl.lit(1)).select(columns))
    candidates = pl.concat(found).sort("ward_id", "rank", "born", "guardian_id")
    return candidates.unique("ward_id", keep="first", maintain_order=True)


def guardianship_certificate(base: Frames, instants: Instants) -> Frames:
    """GRDN: adult wards and their guardian, and as many adults of whom it is certified that nothing is recorded."""
    drawn = share(KEY, "ward")
    is_ward, is_asked = drawn < REGISTERED["ward"], drawn < REGISTERED["ward"] + REGISTERED["no_guardianship"]
    chosen = residents(base, instants).filter(is_adult() & is_national() & is_asked).with_columns(is_ward=is_ward)
    guardians = _guardians(base, chosen.filter("is_ward"))
    is_kept = ~pl.col("is_ward") | pl.col("person_id").is_in(guardians["ward_id"].implode())
    found = chosen.filter(is_kept).with_columns(
        kind=pick(KEY, "guardianship", {"1": 0.75, "2": 0.12, "3": 0.1, "4": 0.03}),
        since=day_between(
            pl.max_horizontal(pl.col("born").dt.offset_by("19y"), pl.lit(TODAY - timedelta(days=4_000))),
            pl.lit(settled()),
            KEY,
            "guardianship since",
        ),
    )

    def recorded(value: pl.Expr | str) -> pl.Expr:
        return pl.when("is_ward").then(value)

    case = pl.col("since").dt.strftime("%Y") + "느단" + digits(KEY, "case", 5)
    ended = day_between(pl.col("since"), pl.lit(settled()), KEY, "guardianship ended").dt.strftime("%Y%m%d")
    header = issued(
        "GRDN",
        found,
        "rrn",
        GRDNSP_KND_CD=recorded("kind"),
        CT_NM=recorded(pick(KEY, "court", COURTS)),
        INCDNT_NO=recorded(case),
        TRIL_CFMTN_YMD=recorded(day("since")),
        WARD_NM="name",
        AGCY_SCOP_CN=recorded(pl.lit(POWERS)),
        AGRE_SCOP_CN=pl.when(pl.col("is_ward") & (pl.col("kind") == LIMITED)).then(pl.lit(CONSENTS)),
        GRDN_SPVS_NM=pl.lit(None, pl.String),
        END_YMD=pl.when(pl.col("is_ward") & (share(KEY, "guardianship over") < 0.05)).then(ended),
        RCRD_ABSN_YN=pl.when("is_ward").then(pl.lit("N")).otherwise(pl.lit("Y")),
    )
    lines = (
        keyed("GRDN", found)
        .select("record_id", "changed_at", ward_id="person_id")
        .join(guardians.rename({"name": "GRDN_NM"}), on="ward_id")
    )
    lines = numbered(lines).select("record_id", "changed_at", "line_no", "GRDN_NM", person_identifier="rrn")
    lines = lines.select("record_id", "changed_at", "line_no", "person_identifier", "GRDN_NM")
    return {"guardianship_certificate": header, "guardianship_certificate__guardians": lines}
