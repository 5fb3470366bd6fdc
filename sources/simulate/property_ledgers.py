"""The ministry's ledgers of things: land and forest, buildings, prices of land, plans of its use.

Each is rendered from the properties that `sources.simulate.property` draws; a record's subject is the parcel or the
building. The kinds of owner, of moves and of zones have codes that no list of the project holds.
"""

import polars as pl

from sources.simulate.documents import day, numbered
from sources.simulate.draws import TODAY, below, pick, share
from sources.simulate.parties import KEY, issued, keyed, repeated
from sources.simulate.property import AREA, FOREST, HUNDREDTHS, LAND, SHARE, SITE, UNIT, decimal, owners, properties
from sources.simulate.rates import REGISTERED
from sources.simulate.store import Frames, Instants

PERSON, FIRM = "1", "6"
REGISTERED_FIRST, DIVIDED, CATEGORY_CHANGED = "01", "20", "40"
BY_TRANSFER = "03"
BELOW_GROUND, ABOVE_GROUND = "10", "20"
RATIO_PLACES = 9
COVERAGE, FLOOR_RATIO = pl.Decimal(12, 9), pl.Decimal(13, 9)
ANNOUNCED = "0531"
PRICE_YEARS = 5
LAST_PRICE = TODAY.year - 1  # a record that changed days before the world's first does not know this year's price
ZONES = {
    FOREST: (("보전관리지역", "210"), ("준보전산지", "610")),
    SITE: (("제2종일반주거지역", "120"), ("가축사육제한구역", "710")),
}
OTHER_ZONES = (("계획관리지역", "230"), ("농업진흥구역", "620"))
LIMITS = "건축법 등 관계 법령에 따른 행위제한이 있음"


def land_ledger(base: Frames, instants: Instants) -> Frames:
    """LAND: every parcel, its moves, its owners with their parts, its prices of five years."""
    found = keyed("LAND", properties(base, instants))
    header = issued(
        "LAND",
        found,
        "pnu",
        LAND_UNQ_NO="pnu",
        STDG_CD="stdg_cd",
        LDGR_SE_CD="ledger",
        MNO="mno",
        SNO="sno",
        LDCG_CD="category",
        AREA=decimal(pl.col("area"), HUNDREDTHS, AREA),
        RDSCL_SE_CD=pick(KEY, "scale", {"12": 0.7, "10": 0.1, "05": 0.1, "60": 0.1}),
        PSN_SE_CD=pl.when("is_firm").then(pl.lit(FIRM)).otherwise(pl.lit(PERSON)),
    )
    own = owners(found, base).select(
        "record_id",
        "changed_at",
        line_no="line",
        person_identifier="rrn",
        OWNR_NM="owner",
        SHR_RT=decimal(pl.col("part"), HUNDREDTHS, SHARE),
        OWNSHP_FLCTN_YMD=day("bought"),
        OWNSHP_FLCTN_CS_SE_CD=pl.lit(BY_TRANSFER),
    )
    prices = _prices(found).select("record_id", "changed_at", "line_no", "INDIV_OALP", "OALP_CRTR_YMD")
    return {
        "land_ledger": header,
        "land_ledger__moves": _moves(found),
        "land_ledger__owners": own,
        "land_ledger__prices": prices,
    }


def building_ledger(base: Frames, instants: Instants) -> Frames:
    """BLDR: every building, its floors from the lowest, its owners. Now and then one stands in violation."""
    found = keyed("BLDR", properties(base, instants).filter(pl.col("bmn").is_not_null()))
    is_unit = pl.col("kind") == UNIT
    site = pl.when(~is_unit).then("area")  # a unit stands on no site of its own
    use = pick(KEY, "firm building", ("제2종근린생활시설", "공장", "창고시설"))
    floor_area = pl.col("covered") * pl.col("above")
    header = issued(
        "BLDR",
        found,
        "bmn",
        BLDG_MNG_NO="bmn",
        BDRG_KND_CD=pl.when(is_unit).then(pl.lit("2")).otherwise(pl.lit("1")),
        ROAD_NM_ADDR="road_addr",
        STDG_CD="stdg_cd",
        MNO="mno",
        SNO="sno",
        HS_TYPE_SE_CD=pl.when(is_unit).then(pl.lit("5")).when(~pl.col("is_firm")).then(pl.lit("1")),
        BLDG_USG_NM=pl.when(is_unit).then(pl.lit("아파트")).when("is_firm").then(use).otherwise(pl.lit("단독주택")),
        BLDG_STRCT_CD=pick(KEY, "structure", {"21": 0.7, "11": 0.2, "31": 0.1}),
        SIAR=decimal(site, HUNDREDTHS, AREA),
        BDAR=decimal(pl.col("covered"), HUNDREDTHS, AREA),
        GFA=decimal(floor_area + pl.col("covered") * pl.col("beneath"), HUNDREDTHS, AREA),
        BDCVRT=_percent(pl.col("covered"), site, COVERAGE),
        FART=_percent(floor_area, site, FLOOR_RATIO),
        USE_APRV_YMD=day("approved"),
        VIOL_BDST_YN=pl.when(share(KEY, "violation") < REGISTERED["building_violation"])
        .then(pl.lit("Y"))
        .otherwise(pl.lit("N")),
    )
    floors = repeated(found, pl.col("above") + pl.col("beneath"), 30).select(
        "record_id",
        "changed_at",
        "line_no",
        FLR_SE_CD=pl.when(pl.col("line") <= pl.col("beneath"))
        .then(pl.lit(BELOW_GROUND))
        .otherwise(pl.lit(ABOVE_GROUND)),
    )
    own = owners(found, base).select(
        "record_id", "changed_at", line_no="line", person_identifier="rrn", OWNR_NM="owner"
    )
    return {"building_ledger": header, "building_ledger__floors": floors, "building_ledger__owners": own}


def land_price_confirmation(base: Frames, instants: Instants) -> Frames:
    """IOLP: every parcel and its prices of five years."""
    found = keyed("IOLP", properties(base, instants))
    header = issued("IOLP", found, "pnu", LAND_UNQ_NO="pnu", STDG_CD="stdg_cd")
    prices = _prices(found).select(
        "record_id",
        "changed_at",
        "line_no",
        OALP_CRTR_YR=pl.col("OALP_CRTR_YMD").str.head(4),
        OALP_CRTR_YMD="OALP_CRTR_YMD",
        INDIV_OALP="INDIV_OALP",
        PBLNTF_YMD=pl.col("OALP_CRTR_YMD").str.head(4) + ANNOUNCED,
    )
    return {"land_price_confirmation": header, "land_price_confirmation__prices": prices}


def land_use_plan(base: Frames, instants: Instants) -> Frames:
    """LUSE: every parcel and the zones in which it lies, by what it is used for."""
    found = keyed("LUSE", properties(base, instants))
    header = issued(
        "LUSE",
        found,
        "pnu",
        LAND_UNQ_NO="pnu",
        LDCG_CD="category",
        AREA=decimal(pl.col("area"), HUNDREDTHS, AREA),
        INDIV_OALP="price",
        ACT_LMT_CN=pl.when(pl.col("kind") == LAND).then(pl.lit(LIMITS)),
    )
    lines = repeated(found, 1 + below(KEY, "zones", 2), 2)

    def zone(at: int) -> pl.Expr:
        """Name (0) or code (1) of the line's zone."""
        made = pl.lit(None, pl.String)
        for number in (0, 1):
            by_use = {use: zones[number][at] for use, zones in ZONES.items()}
            named = pl.col("category").replace_strict(by_use, default=OTHER_ZONES[number][at], return_dtype=pl.String)
            made = pl.when(pl.col("line") == number + 1).then(named).otherwise(made)
        return made

    lines = lines.select("record_id", "changed_at", "line_no", ZNG_DSTRCT_NM=zone(0), ZNG_DSTRCT_SE_CD=zone(1))
    return {"land_use_plan": header, "land_use_plan__zones": lines}


def _percent(part: pl.Expr, whole: pl.Expr, kind: pl.Decimal) -> pl.Expr:
    """Cut off after nine digits, as the ledger does."""
    return decimal(part * 100 * 10**RATIO_PLACES // whole, RATIO_PLACES, kind)


def _moves(found: pl.DataFrame) -> pl.DataFrame:
    """First registered, perhaps divided, perhaps of another category since."""
    is_divided = share(KEY, "divided") < REGISTERED["parcel_divided"]
    kept = [
        found.with_columns(code=pl.lit(REGISTERED_FIRST), rank=pl.lit(1)),
        found.filter(is_divided).with_columns(code=pl.lit(DIVIDED), rank=pl.lit(2)),
        found.filter(pl.col("former").is_not_null()).with_columns(code=pl.lit(CATEGORY_CHANGED), rank=pl.lit(3)),
    ]
    lines = numbered(pl.concat(kept), "rank")
    return lines.select("record_id", "changed_at", "line_no", AOCR_RSN_CD="code")


def _prices(found: pl.DataFrame) -> pl.DataFrame:
    """The price of a square metre on 1 January of each year in whole thousands, oldest first; each a little dearer."""
    lines = repeated(found, pl.lit(PRICE_YEARS), PRICE_YEARS)
    year = LAST_PRICE - PRICE_YEARS + pl.col("line")
    dearer = 100 - 3 * (PRICE_YEARS - pl.col("line"))
    thousands = pl.max_horizontal(pl.col("price") * dearer // 100_000, 1)
    return lines.with_columns(OALP_CRTR_YMD=year.cast(pl.String) + "0101", INDIV_OALP=thousands * 1_000)
