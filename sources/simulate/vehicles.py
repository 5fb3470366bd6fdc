"""Vehicles of adults and corporations: at most one each, found by its chassis number.

Plates have the form of 자동차등록령; those for hire name their region. Two vehicles may bear one plate: it is
given out anew while a register still names the former vehicle. Joint owners are lines with their shares.
"""

import polars as pl

from sources.simulate.documents import day
from sources.simulate.draws import below, day_before, digits, pick, scattered, settled, share
from sources.simulate.parties import KEY, firms, is_adult, issued, keyed, repeated, residents
from sources.simulate.rates import HARD_CASES, REGISTERED
from sources.simulate.store import Frames, Instants

CHASSIS = "KZZB81DB"  # of no maker
PRIVATE, COMMERCIAL = "2", "3"
MODELS = {"한결 세단": "HG-20", "한결 왜건": "HG-25", "누리 해치백": "NR-10", "가온 트럭": "GT-1", "가온 승합": "GT-9"}
CLASSES = {"가온 트럭": "03", "가온 승합": "02"}
LETTERS = ("가", "나", "다", "라", "마", "거", "너", "더", "러", "머", "버", "서", "어", "저")
HIRED = ("바", "사", "아", "자")
REGIONS = ("서울", "부산", "대구", "인천", "경기", "전남")
DISPLACEMENTS = {"998.000": 0.2, "1598.000": 0.35, "1998.500": 0.3, "2497.000": 0.1, "0.000": 0.05}
FUELS = {"001": 0.6, "002": 0.3, "003": 0.1}
JOINT = 2
PLATES_REUSED_AMONG = 2_000  # a plate goes from one of so many owners to another


def vehicle_register(base: Frames, instants: Instants) -> Frames:
    """VHCL: who has a vehicle, and its part A."""
    columns = ["number", "changed_at", "name", "address", "is_firm"]
    people = residents(base, instants).filter(is_adult() & (share(KEY, "vehicle") < REGISTERED["vehicle"]))
    owners = pl.concat(
        [
            people.with_columns(address="road_addr", is_firm=pl.lit(False)).select(columns),
            firms(base, instants)
            .filter(share(KEY, "vehicle") < REGISTERED["corporate_vehicle"])
            .with_columns(is_firm=pl.lit(True))
            .select(columns),
        ]
    ).with_columns(vin=pl.lit(CHASSIS) + scattered(KEY, 9))
    model = pick(KEY, "vehicle model", tuple(MODELS))
    registered = day_before(settled(), KEY, "vehicle registered", 30, 4_000)
    found = owners.with_columns(model=model, registered=registered).with_columns(
        inspected=pl.col("registered").dt.offset_by("4y")
    )
    is_hired = pl.col("is_firm") & (share(KEY, "hired vehicle") < REGISTERED["hired_vehicle"])
    is_reused = share(KEY, "reused plate") < HARD_CASES["reused_plate"]
    plate = pl.when(is_reused).then(KEY // PLATES_REUSED_AMONG).otherwise(KEY)
    letter = pl.when(is_hired).then(pick(KEY, "hired letter", HIRED)).otherwise(pick(plate, "letter", LETTERS))
    region = pl.when(is_hired).then(pick(KEY, "plate region", REGIONS)).otherwise(pl.lit(""))
    header = issued(
        "VHCL",
        found,
        "vin",
        VHRNO=region + digits(plate, "plate class", 2) + letter + digits(plate, "plate", 4),
        VIN="vin",
        CARMDL_CD=pl.col("model").replace_strict(CLASSES, default="01", return_dtype=pl.String),
        VHCL_USG_SE_CD=pl.when(is_hired).then(pl.lit(COMMERCIAL)).otherwise(pl.lit(PRIVATE)),
        VHCL_NM="model",
        VHCL_MDL_NM=pl.col("model").replace_strict(MODELS, return_dtype=pl.String),
        MDYR=pl.col("registered").dt.strftime("%Y"),
        VHCL_DSVLM=pick(KEY, "displacement", DISPLACEMENTS).cast(pl.Decimal(10, 3)),
        FUEL_SE_CD=pick(KEY, "fuel", FUELS),
        OWNR_NM="name",
        USBS_ADDR="address",
        CAR_REG_YMD=day("registered"),
        SZR_NOCS=(share(KEY, "seized") < REGISTERED["seized_vehicle"]).cast(pl.Int64),
        MRTG_NOCS=(share(KEY, "mortgaged") < REGISTERED["mortgaged_vehicle"]).cast(pl.Int64),
        INSP_VLD_PRD_EXPRY_YMD=day("inspected"),
    )
    return {"vehicle_register": header, "vehicle_register__owners": _owners(keyed("VHCL", found))}


def _owners(found: pl.DataFrame) -> pl.DataFrame:
    """One line an owner; the shares of two add up to the whole."""
    is_joint = ~pl.col("is_firm") & (share(KEY, "joint vehicle") < REGISTERED["joint_vehicle"])
    lines = repeated(found, pl.when(is_joint).then(JOINT).otherwise(1), JOINT)
    first = (50 + below(KEY, "vehicle share", 50)).cast(pl.Decimal(5, 2))
    whole = pl.lit(100).cast(pl.Decimal(5, 2))
    own = pl.when(pl.col("count") == 1).then(whole).when(pl.col("line") == 1).then(first).otherwise(whole - first)
    return lines.select("record_id", "changed_at", "line_no", PSN_SHRT=own.cast(pl.Decimal(5, 2)))
