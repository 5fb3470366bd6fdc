"""How residents live: work and insurance, income, disability.

Employers are corporations of the world. Of each household with an employee, one insures those members who earn nothing;
in the other households the householder is a local subscriber and the rest are its members.
"""

import numpy as np
import polars as pl

from sources.simulate import corporations, names, rates
from sources.simulate.draws import below, day_before, pick, settled, share
from sources.simulate.households import YEAR, Ints
from sources.simulate.kin import BASE_DAY

NOBODY = -1
NO_DAY = -(10**6)


def work(rng: np.random.Generator, people: pl.DataFrame, firms: pl.DataFrame) -> pl.DataFrame:
    """Of each resident: current employer and since when, former employer and between which days, kind of earner."""
    residents = people.filter(pl.col("household_id").is_not_null())
    n = len(residents)
    age = (BASE_DAY - residents["born"].cast(pl.Int32).to_numpy()) / YEAR
    is_earner = (age >= 20) & (age < 65) & (rng.random(n) < rates.INCOME_SHARE)
    is_business = is_earner & (rng.random(n) < rates.BUSINESS_SHARE)
    is_employee = is_earner & ~is_business
    open_firms = firms.filter(pl.col("status") == "1")["corporation_id"].to_numpy()
    firm = open_firms[(len(open_firms) * rng.random(n) ** 2).astype(np.int64)]
    before = open_firms[(len(open_firms) * rng.random(n) ** 2).astype(np.int64)]
    founded = firms["founded"].cast(pl.Int32).to_numpy()
    since = np.maximum(BASE_DAY - rng.uniform(0.1, np.clip(age - 19, 0.2, 12)) * YEAR, founded[firm]).astype(np.int64)
    until = since - rng.integers(1, 200, n)
    former_since = np.maximum(until - (rng.uniform(0.2, 3.5, n) * YEAR).astype(np.int64), founded[before])
    has_former = is_employee & (rng.random(n) < 0.35) & (age > 24) & (before != firm) & (former_since < until)
    return residents.select("person_id", "household_id", "born").with_columns(
        pl.Series("age", age),
        pl.Series("is_employee", is_employee),
        pl.Series("is_business", is_business),
        pl.Series("is_pensioner", (age >= 65) & (rng.random(n) < rates.PENSION_SHARE)),
        pl.Series("firm", np.where(is_employee, firm, NOBODY).astype(np.int32)),
        pl.Series("since", np.where(is_employee, since, NO_DAY).astype(np.int32)),
        pl.Series("former_firm", np.where(has_former, before, NOBODY).astype(np.int32)),
        pl.Series("former_since", np.where(has_former, former_since, NO_DAY).astype(np.int32)),
        pl.Series("former_until", np.where(has_former, until, NO_DAY).astype(np.int32)),
        pl.Series("is_late", is_employee & (rng.random(n) < rates.HARD_CASES["retroactive_insurance"])),
        pl.Series("late_firm", before.astype(np.int32)),
    )


def insurance(rng: np.random.Generator, working: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """One row per period of insurance: `insurance_id`, person, kind, employer, acquired, lost, who insures."""
    w = _insured(working.join(people.select("person_id", "relation"), on="person_id", maintain_order="left"))
    born, years = pl.col("born").cast(pl.Int32), pl.Series(rng.uniform(0.2, 15, len(w)))
    local_since = pl.max_horizontal(born, pl.lit(BASE_DAY) - (years * YEAR).cast(pl.Int32))
    kind = pl.col("kind")
    current = w.select(
        "person_id",
        "kind",
        corporation_id=pl.when(kind == "1").then("firm").when(kind == "2").then("insurer_firm"),
        acquired=pl.when(kind == "1")
        .then("since")
        .when(kind == "2")
        .then(pl.max_horizontal(born, "insurer_since"))
        .otherwise(local_since),
        lost=pl.lit(None, pl.Int32),
        subscriber_id=pl.when(kind == "2").then("insurer").when(kind == "6").then("head").otherwise("person_id"),
    )
    former = w.filter(pl.col("former_firm") >= 0)
    reported_late = w.filter("is_late").with_columns(
        from_day=pl.lit(BASE_DAY - 200, pl.Int32), to_day=pl.lit(BASE_DAY - 90, pl.Int32)
    )
    ended = [_ended(former, "former_firm", "former_since", "former_until")]
    ended += [_ended(reported_late, "late_firm", "from_day", "to_day")]
    lines = pl.concat([current, *ended])
    lines = lines.sort("person_id", "acquired", "kind", "corporation_id", nulls_last=True)
    lines = lines.with_columns(pl.col("acquired", "lost").cast(pl.Date))
    return lines.with_row_index("insurance_id").with_columns(pl.col("insurance_id").cast(pl.Int32))


def _insured(w: pl.DataFrame) -> pl.DataFrame:
    """Adds the kind of insurance: 1 by work, 2 as a dependant, 5 local householder, 6 local member; and by whom."""
    w = w.with_columns(
        insurer=pl.col("person_id").filter("is_employee").min().over("household_id"),
        head=pl.col("person_id").filter(pl.col("relation") == "본인").min().over("household_id"),
    )
    is_dependant = pl.col("insurer").is_not_null() & ~pl.col("is_employee") & ~pl.col("is_business")
    kind = (
        pl.when("is_employee")
        .then(pl.lit("1"))
        .when(is_dependant & (pl.col("relation") != "동거인"))
        .then(pl.lit("2"))
        .when(pl.col("person_id") == pl.col("head"))
        .then(pl.lit("5"))
        .otherwise(pl.lit("6"))
    )
    by_insurer = w.select(insurer="person_id", insurer_firm="firm", insurer_since="since")
    return w.with_columns(kind=kind).join(by_insurer, on="insurer", how="left", maintain_order="left")


def _ended(w: pl.DataFrame, firm: str, since: str, until: str) -> pl.DataFrame:
    """Periods at an employer that have ended."""
    return w.select(
        "person_id",
        kind=pl.lit("1"),
        corporation_id=firm,
        acquired=since,
        lost=until,
        subscriber_id="person_id",
    )


def incomes(rng: np.random.Generator, working: pl.DataFrame, firms: pl.DataFrame) -> pl.DataFrame:
    """One row per person, year and kind of income, with the payer's name and number as the tax office wrote them."""
    n = len(working)
    lines = []
    wage = np.exp(rng.normal(17.3, 0.5, n))
    shop, shop_kind = names.shop_names(rng, n), rng.integers(1, 80, n)
    shop_number = corporations.business_number(shop_kind, working["person_id"].to_numpy())
    firm, former = working["firm"].to_numpy(), working["former_firm"].to_numpy()
    for year in rates.INCOME_YEARS:
        first, last = (np.datetime64(d, "D").astype(np.int64) for d in (f"{year}-01-01", f"{year}-12-31"))
        was_former = (working["former_since"].to_numpy() <= last) & (working["former_until"].to_numpy() >= first)
        payer = np.where((firm >= 0) & (working["since"].to_numpy() <= last), firm, np.where(was_former, former, -1))
        paid = np.round(wage * 1.03 ** (year - 2025) * rng.uniform(0.95, 1.05, n), -4).astype(np.int64)
        at = np.flatnonzero(payer >= 0)
        lines.append(_salary(at, year, paid[at], payer[at], firms))
        at = np.flatnonzero(working["is_business"].to_numpy() & (rng.random(n) < 0.95))
        lines.append(_business(rng, at, year, paid[at], names.series(shop[at]), shop_number.gather(at)))
        at = np.flatnonzero(working["is_pensioner"].to_numpy())
        lines.append(_pension(at, year, paid[at] // 40_000 * 10_000))
    table = pl.concat(lines)
    table = table.with_columns(person_id=working["person_id"].gather(table["at"]))
    table = table.sort("person_id", "year", "kind").drop("at").with_row_index("income_id")
    return table.with_columns(pl.col("income_id").cast(pl.Int32))


def taxed(earned: Ints) -> tuple[Ints, Ints]:
    """Tax base and tax of an earned amount: a plain scale of our own."""
    base = np.maximum(earned - 1_500_000, 0)
    tax = np.where(base < 14_000_000, base * 6 // 100, 840_000 + (base - 14_000_000) * 15 // 100)
    return base, np.maximum(tax, 0) // 10 * 10


def _lines(at: Ints, year: int, kind: str, **columns: Ints | pl.Series | None) -> pl.DataFrame:
    """Income lines with every column present, NULL where the kind of income has none."""
    types: dict[str, type[pl.DataType]] = {
        "gross": pl.Int64,
        "earned": pl.Int64,
        "base": pl.Int64,
        "tax": pl.Int64,
        "salary": pl.Int64,
    }
    types |= {"payer": pl.String, "payer_brn": pl.String}
    frame = pl.DataFrame({"at": at}).with_columns(year=pl.lit(str(year)), kind=pl.lit(kind))
    return frame.with_columns(
        pl.lit(None, t).alias(c) if columns.get(c) is None else pl.Series(c, columns[c]).cast(t)
        for c, t in types.items()
    )


def _salary(at: Ints, year: int, paid: Ints, payer: Ints, firms: pl.DataFrame) -> pl.DataFrame:
    earned = paid - np.minimum(paid * 35 // 100, 14_750_000)
    base, tax = taxed(earned)
    firm = firms[payer]
    return _lines(
        at,
        year,
        "10",
        gross=paid,
        earned=earned,
        base=base,
        tax=tax,
        salary=paid,
        payer=firm["name"],
        payer_brn=firm["brn"],
    )


def _business(
    rng: np.random.Generator, at: Ints, year: int, paid: Ints, shop: pl.Series, number: pl.Series
) -> pl.DataFrame:
    """Self-employed: a margin of the revenue, now and then a loss."""
    gross = paid * rng.integers(1, 5, len(at))
    earned = (gross * rng.uniform(-0.05, 0.4, len(at))).astype(np.int64) // 1_000 * 1_000
    base, tax = taxed(earned)
    return _lines(at, year, "20", gross=gross, earned=earned, base=base, tax=tax, payer=shop, payer_brn=number)


def _pension(at: Ints, year: int, paid: Ints) -> pl.DataFrame:
    earned = np.maximum(paid - 3_500_000, 0)
    base, tax = taxed(earned)
    return _lines(at, year, "40", gross=paid, earned=earned, base=base, tax=tax)


def disabilities(rng: np.random.Generator, people: pl.DataFrame) -> pl.DataFrame:
    """One row per registered resident; a minor's parent is named as guardian. Foreigners come last."""
    residents = people.filter(pl.col("household_id").is_not_null() & pl.col("nationality").is_null())
    born = residents["born"].cast(pl.Int32).to_numpy()
    weight = np.clip((BASE_DAY - born) / YEAR / 45, 0.3, 1.9)
    chosen = np.flatnonzero(rng.random(len(residents)) < rates.DISABILITY_SHARE * weight / weight.mean())
    at, n = residents[chosen], len(chosen)
    days = BASE_DAY - born[chosen]
    registered = BASE_DAY - (np.minimum(days, 20 * YEAR) * rng.uniform(0.05, 0.9, n)).astype(np.int64)
    main, second = rng.integers(1, 16, n), rng.integers(1, 16, n)
    has_second = (rng.random(n) < rates.DISABILITY_SECOND_TYPE) & (second != main)
    has_review = rng.random(n) < 0.2
    review = BASE_DAY + rng.integers(200, 4 * 365, n)
    codes = np.array([f"{i:02}" for i in range(16)], object)
    nationals = pl.DataFrame(
        {
            "disability_id": np.arange(n, dtype=np.int32),
            "person_id": at["person_id"],
            "main_type": names.series(codes[main]),
            "second_type": names.series(names.only(codes[second], has_second)),
            "degree": names.series(np.where(rng.random(n) < 0.37, "1", "2").astype(object)),
            "registered": pl.Series(registered.astype(np.int32)).cast(pl.Date),
            "review": pl.Series(np.where(has_review, review, 0).astype(np.int32)),
            "guardian_id": at.select(
                pl.when(pl.Series(days < 19 * YEAR)).then(pl.coalesce("mother_id", "father_id"))
            ).to_series(),
            "is_cancelled": np.zeros(n, bool),
        }
    ).with_columns(pl.when(pl.col("review") > 0).then(pl.col("review").cast(pl.Date)))
    return pl.concat([nationals, _disabled_foreigners(people, n).cast(nationals.schema)])


def _disabled_foreigners(people: pl.DataFrame, first_id: int) -> pl.DataFrame:
    """Foreigners who are registered, drawn from their own numbers, so that nobody else's draw depends on them."""
    key = pl.col("person_id")
    is_adult = pl.col("born").cast(pl.Int32) < BASE_DAY - int(20 * YEAR)
    chosen = people.filter(
        pl.col("household_id").is_not_null() & pl.col("nationality").is_not_null() & is_adult
    ).filter(share(key, "foreign disability") < rates.REGISTERED["foreign_disability"])
    return chosen.with_row_index("row").select(
        disability_id=pl.col("row").cast(pl.Int32) + first_id,
        person_id=key,
        main_type=(1 + below(key, "disability type", 15)).cast(pl.String).str.zfill(2),
        second_type=pl.lit(None, pl.String),
        degree=pick(key, "disability degree", {"1": 0.37, "2": 0.63}),
        registered=day_before(settled(), key, "disability registered", 1, 1_500),
        review=pl.lit(None, pl.Date),
        guardian_id=pl.lit(None, pl.Int32),
        is_cancelled=pl.lit(False),
    )
