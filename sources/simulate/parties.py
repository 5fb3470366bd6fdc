"""Whom registers are about: residents with their address, corporations, sole proprietors, and what they have in common.

Every function takes the base tables and the instants of those to render. `number` is the running number of a record;
corporations begin above every person, so that a register can hold both.
"""

import polars as pl

from sources.simulate import regions
from sources.simulate.documents import control, subjects
from sources.simulate.draws import below, day_before, pick, settled, share, years_ago
from sources.simulate.populations import FIRST_FIRM
from sources.simulate.rates import REGISTERED
from sources.simulate.store import Frames, Instants

ADULT = 19
KEY = pl.col("number")
CAPITAL_PLACE = "1111010100"  # where an address names no place that is known
_SHARED = ["number", "changed_at", "name", "representative", "address", "stdg_cd", "brn"]


def residents(base: Frames, instants: Instants) -> pl.DataFrame:
    """Residents to render, with `number` and their household's columns."""
    people = subjects(base["persons"], instants.people)
    return people.join(base["households"], on="household_id", maintain_order="left").with_columns(
        number=pl.col("person_id").cast(pl.Int64)
    )


def is_adult(years: int = ADULT) -> pl.Expr:
    return pl.col("born") <= years_ago(years)


def is_national() -> pl.Expr:
    return pl.col("nationality").is_null()


def workers(base: Frames) -> pl.DataFrame:
    """Who works where now: the running insurance of employees."""
    return base["insurance"].filter((pl.col("kind") == "1") & pl.col("lost").is_null())


def firms(base: Frames, instants: Instants) -> pl.DataFrame:
    """Corporations to render, with `number`, their representative and the place of their address."""
    chosen = base["corporations"].join(instants.firms, on="corporation_id", maintain_order="left")
    is_head = pl.col("position") == "대표이사"
    heads = base["officers"].sort("corporation_id", ~is_head, "line_no").unique("corporation_id", keep="first")
    places = regions.places().unique("road_prefix", keep="first", maintain_order=True)
    places = places.select(prefix="road_prefix", stdg_cd="code")
    staff = workers(base).group_by("corporation_id").agg(staff=pl.len().cast(pl.Int64))
    return (
        chosen.with_columns(
            number=pl.col("corporation_id").cast(pl.Int64) + FIRST_FIRM,
            prefix=pl.col("address").str.replace(r" \S+ \d+$", ""),
        )
        .join(places, on="prefix", how="left", maintain_order="left")
        .join(
            heads.select("corporation_id", representative="shown_name"),
            on="corporation_id",
            how="left",
            maintain_order="left",
        )
        .join(staff, on="corporation_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("stdg_cd").fill_null(CAPITAL_PLACE),
            pl.col("representative").fill_null(pl.col("name")),
            pl.col("staff").fill_null(0),
        )
    )


def payers(base: Frames, instants: Instants, firm_identifier: str) -> pl.DataFrame:
    """Adult residents and all corporations as taxpayers: `identifier`, name, address; `brn` of corporations alone."""
    people = residents(base, instants).filter(is_adult())
    corporations = firms(base, instants)
    return pl.concat(
        [
            people.with_columns(
                representative="name",
                address="road_addr",
                brn=pl.lit(None, pl.String),
            ).select(*_SHARED, identifier="rrn", is_firm=pl.lit(False)),
            corporations.select(*_SHARED, identifier=firm_identifier, is_firm=pl.lit(True)),
        ]
    )


def proprietors(base: Frames, instants: Instants) -> pl.DataFrame:
    """Residents who run a shop, with the number and name that the tax office wrote, and a year's sales.

    A business number that two residents happened to draw is the first one's.
    """
    shops = base["incomes"].filter((pl.col("kind") == "20") & pl.col("payer_brn").is_not_null())
    shops = shops.sort("person_id", "year").unique("person_id", keep="last", maintain_order=True)
    shops = shops.unique("payer_brn", keep="first", maintain_order=True)
    found = residents(base, instants).join(
        shops.select("person_id", "payer_brn", "payer", "gross"), on="person_id", maintain_order="left"
    )
    return found.with_columns(
        representative="name",
        name="payer",
        address="road_addr",
        brn="payer_brn",
        state=pick(
            KEY,
            "business state",
            {
                "01": 1 - REGISTERED["proprietor_suspended"] - REGISTERED["proprietor_closed"],
                "02": REGISTERED["proprietor_suspended"],
                "03": REGISTERED["proprietor_closed"],
            },
        ),
        opened=day_before(pl.date(2023, 1, 1), KEY, "opened", 1, 3_600),
        sales=pl.col("gross"),
        staff=below(KEY, "shop staff", 4),
    )


def businesses(base: Frames, instants: Instants) -> pl.DataFrame:
    """Corporations and shops alike: state (01 open, 02 suspended, 03 closed), when opened, yearly sales, staff."""
    corporations = firms(base, instants).with_columns(
        state=pl.when(pl.col("status") == "1").then(pl.lit("01")).otherwise(pl.lit("03")),
        opened="founded",
        sales=corporate_sales(),
        spouse_id=pl.lit(None, pl.Int32),
        is_firm=pl.lit(True),
    )
    shops = proprietors(base, instants).with_columns(
        crn=pl.lit(None, pl.String), is_firm=pl.lit(False), corporation_id=pl.lit(None, pl.Int32)
    )
    columns = [*_SHARED, "crn", "corporation_id", "spouse_id", "state", "opened", "sales", "staff", "is_firm"]
    return pl.concat([corporations.select(columns), shops.select(columns)]).with_columns(
        closed=pl.when(pl.col("state") == "03").then(
            pl.max_horizontal(day_before(settled(), KEY, "closed", 0, 900), pl.col("opened"))
        )
    )


def corporate_sales() -> pl.Expr:
    """A year's sales of a corporation: by its staff, and never nothing."""
    each = 60_000_000 + below(KEY, "sales", 240_000_000)
    return (pl.col("staff") + 1) * (each // 1_000 * 1_000)


def in_arrears() -> pl.Expr:
    return share(KEY, "tax arrears") < REGISTERED["tax_arrears"]


def repeated(header: pl.DataFrame, count: pl.Expr, most: int) -> pl.DataFrame:
    """Each row `count` times (`most` at most), with `line` from 1 and `line_key`, a number to draw by."""
    lines = header.with_columns(count=count.cast(pl.Int64)).filter(pl.col("count") > 0)
    lines = lines.with_columns(line=pl.int_ranges(1, pl.col("count") + 1)).explode("line")
    return lines.with_columns(line_key=KEY * (most + 1) + pl.col("line"), line_no=pl.col("line").cast(pl.Int32))


def issued(document: str, frame: pl.DataFrame, identifier: str, **columns: pl.Expr | str) -> pl.DataFrame:
    """A register's header table."""
    return frame.select(*control(document, "number", identifier), **columns)


def keyed(document: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the `record_id` of its register, to make lines of."""
    return frame.with_columns(control(document, "number", "number")[0])
