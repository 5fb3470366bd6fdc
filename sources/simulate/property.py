"""Who owns what: one property for each owner, a parcel alone, a house on its parcel, or a unit of a condominium.

In: the world's people and firms. Out: `properties`, one row per property with all that the ledgers of land and
buildings and the court's register say of it; `owners`, one row per property and owner. A property is drawn from its
owner's number, so that it stays where it is when people move, and its number is that owner's, whose record changes when
an owner's name does.
"""

import polars as pl

from sources.simulate import regions
from sources.simulate.draws import TODAY, below, day_before, pick, scattered, settled, share
from sources.simulate.parties import KEY, firms, is_adult, is_national
from sources.simulate.rates import REGISTERED
from sources.simulate.store import Frames, Instants

LAND, HOUSE, UNIT = "1", "2", "3"
LAND_LEDGER, FOREST_LEDGER = "1", "2"
SITE, FOREST, FACTORY = "08", "05", "09"
OPEN_LAND = {"01": 0.35, "02": 0.35, "03": 0.08, SITE: 0.12, "28": 0.1}
FORMER_USES = ("01", "02", "05")  # what a parcel was before its category changed
ROADS = ("새벽로", "은행나무길", "느티로", "중앙대로", "향교길", "들꽃로", "강변대로", "시장길")
AREA, HUNDREDTHS = pl.Decimal(19, 9), 2
SHARE = pl.Decimal(5, 2)
WHOLE = 10_000  # a whole property, in hundredths of a percent
PARTS = {"5000": 0.7, "6000": 0.15, "6667": 0.15}  # of the first of two owners


def decimal(units: pl.Expr, places: int, kind: pl.Decimal) -> pl.Expr:
    """A whole number of units of 10**-places as an exact decimal."""
    whole, rest = units // 10**places, units % 10**places
    text = pl.concat_str(whole.cast(pl.String), pl.lit("."), rest.cast(pl.String).str.zfill(places))
    return text.cast(kind)


def properties(base: Frames, instants: Instants) -> pl.DataFrame:
    """One row per property of the owners to render, by their `number`."""
    places = regions.places().with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
    places = places.select("place", stdg_cd="code", place_name="name", road_prefix="road_prefix")
    found = pl.concat([_people(base, instants), _firms(base, instants)]).with_columns(
        kind=pl.when("is_firm")
        .then(pick(KEY, "firm property", {LAND: 0.5, HOUSE: 0.5}))
        .otherwise(pick(KEY, "property", {LAND: 0.35, HOUSE: 0.3, UNIT: 0.35})),
        place=below(KEY, "parcel place", len(places)),
        lot=scattered(KEY, 8),
    )
    found = found.join(places, on="place", how="left", maintain_order="left")
    return _numbered(_measured(_used(found))).filter(pl.col("mno") > 0)


def owners(found: pl.DataFrame, base: Frames) -> pl.DataFrame:
    """One row per property and owner, with `owner`, `rrn` (of persons), `line` and `part` in hundredths of a percent.

    Some couples own together; both parts add up to the whole.
    """
    spouses = base["persons"].select(spouse_id="person_id", spouse="name", spouse_rrn="rrn")
    found = found.join(spouses, on="spouse_id", how="left", maintain_order="left")
    is_joint = pl.col("spouse").is_not_null() & (share(KEY, "joint owners") < REGISTERED["joint_owners"])
    first = pl.when(is_joint).then(pick(KEY, "part", PARTS).cast(pl.Int64)).otherwise(WHOLE)
    own = found.with_columns(line=pl.lit(1, pl.Int32), part=first)
    other = found.filter(is_joint).with_columns(
        owner="spouse", rrn="spouse_rrn", line=pl.lit(2, pl.Int32), part=WHOLE - first
    )
    return pl.concat([own, other]).sort("number", "line").drop("spouse", "spouse_rrn")


def _people(base: Frames, instants: Instants) -> pl.DataFrame:
    """Owners who were grown up and alive on the world's first day; what they own stays theirs when they die."""
    shops = base["incomes"].filter((pl.col("kind") == "20") & pl.col("payer_brn").is_not_null())
    shops = shops.select("person_id").unique().with_columns(has_shop=pl.lit(True))
    found = base["persons"].join(instants.people, on="person_id", maintain_order="left")
    found = found.join(shops, on="person_id", how="left", maintain_order="left").with_columns(
        number=pl.col("person_id").cast(pl.Int64)
    )
    rate = (
        pl.when(~is_national())
        .then(REGISTERED["foreign_property"])
        .when("has_shop")
        .then(REGISTERED["shop_owner_property"])
        .otherwise(REGISTERED["property"])
    )
    was_alive = pl.col("died").is_null() | (pl.col("died") >= pl.lit(TODAY))
    chosen = found.filter(is_adult() & was_alive & (share(KEY, "owns property") < rate))
    return chosen.select(
        "number",
        "changed_at",
        owner="name",
        rrn="rrn",
        spouse_id="spouse_id",
        since=pl.col("born").dt.offset_by("19y"),
        is_firm=pl.lit(False),
        id=pl.col("person_id").cast(pl.Int64),
    )


def _firms(base: Frames, instants: Instants) -> pl.DataFrame:
    found = firms(base, instants).filter(share(KEY, "owns property") < REGISTERED["firm_property"])
    return found.select(
        "number",
        "changed_at",
        owner="name",
        rrn=pl.lit(None, pl.String),
        spouse_id=pl.lit(None, pl.Int32),
        since="founded",
        is_firm=pl.lit(True),
        id=pl.col("corporation_id").cast(pl.Int64),
    )


def _used(found: pl.DataFrame) -> pl.DataFrame:
    """Ledger, category of the land, whether it changed, when the owner came, and what the building is."""
    is_forest = (pl.col("kind") == LAND) & (share(KEY, "forest") < REGISTERED["forest"])
    built = pl.when("is_firm").then(pick(KEY, "firm site", {SITE: 0.5, FACTORY: 0.5})).otherwise(pl.lit(SITE))
    use = pl.when(pl.col("kind") == LAND).then(pick(KEY, "open land", OPEN_LAND)).otherwise(built)
    changed = ~is_forest & (share(KEY, "category changed") < REGISTERED["category_changed"])
    former = pick(KEY, "former category", FORMER_USES)
    bought = pl.max_horizontal(day_before(settled(), KEY, "bought", 100, 9_000), pl.col("since"))
    return found.with_columns(
        ledger=pl.when(is_forest).then(pl.lit(FOREST_LEDGER)).otherwise(pl.lit(LAND_LEDGER)),
        category=pl.when(is_forest).then(pl.lit(FOREST)).otherwise(use),
        bought=pl.min_horizontal(bought, pl.lit(settled())),
        approved=day_before(settled(), KEY, "use approved", 400, 14_000),
    ).with_columns(former=pl.when(changed & (former != pl.col("category"))).then(former))


def _measured(found: pl.DataFrame) -> pl.DataFrame:
    """Areas in hundredths of a square metre, floors, and this year's price of a square metre in won."""
    is_open = pl.col("kind") == LAND
    size = (
        pl.when(is_open).then(20_000 + below(KEY, "open area", 900_000)).otherwise(9_000 + below(KEY, "site", 60_000))
    )
    price = pl.when(is_open).then(5 + below(KEY, "open price", 900)).otherwise(400 + below(KEY, "site price", 90_000))
    found = found.with_columns(
        area=size,
        price=price * 100,
        above=1 + below(KEY, "floors", pl.when(pl.col("kind") == UNIT).then(24).otherwise(4)),
        beneath=below(KEY, "cellars", 2),
    )
    return found.with_columns(covered=pl.col("area") * (30 + below(KEY, "covered", 30)) // 100)


def _numbered(found: pl.DataFrame) -> pl.DataFrame:
    """The numbers of parcel, building and property. A lot number is drawn once, so that no two parcels share one."""
    is_built = pl.col("kind") != LAND
    mountain = pl.when(pl.col("ledger") == FOREST_LEDGER).then(pl.lit("1")).otherwise(pl.lit("0"))
    office = pl.col("stdg_cd").str.head(2) + pl.col("lot").str.head(2)
    return found.with_columns(
        mno=pl.col("lot").str.head(4).cast(pl.Int64),
        sno=pl.col("lot").str.tail(4).cast(pl.Int64),
        pnu=pl.col("stdg_cd") + pl.col("ledger") + pl.col("lot"),
        bmn=pl.when(is_built).then(pl.col("stdg_cd") + mountain + pl.col("lot") + "000001"),
        ren=office + (1996 + below(KEY, "registered", 28)).cast(pl.String) + pl.col("lot").str.tail(6),
        road_addr=pl.col("road_prefix")
        + " "
        + pick(KEY, "property road", ROADS)
        + " "
        + (1 + below(KEY, "property building", 299)).cast(pl.String),
    )
