"""Leases of householders who rent: the report that the ministry keeps, and the fixed date of the registry office.

Both tell of one contract: dates, deposit and rent agree. A report is made within 30 days; who asked for the fixed date
late in the day got that of the next working day, which is never a Saturday or Sunday.
"""

import polars as pl

from sources.simulate import names
from sources.simulate.documents import day
from sources.simulate.draws import below, day_before, pick, scattered, settled, share
from sources.simulate.parties import KEY, is_adult, issued, residents
from sources.simulate.rates import REGISTERED
from sources.simulate.store import Frames, Instants

TERM = "2y"
SECOND = "가나다라마바사아자하"
OBJECTS = {"주택 전부": 0.9, "주택 2층 전부": 0.06, "주택 1층 일부": 0.04}
MILLION = 1_000_000


def lease_report(base: Frames, instants: Instants) -> Frames:
    """LEAS: the report of each lease."""
    return {
        "lease_report": issued(
            "LEAS",
            _leases(base, instants),
            "report_no",
            DCLR_NO="report_no",
            LSR_NM="landlord",
            HIRER_NM="name",
            ROAD_NM_ADDR="road_addr",
            RENT_GRNTE_AMT="deposit",
            MRNT_AMT="rent",
            LSCT_BGNG_YMD=day("begins"),
            LSCT_END_YMD=day("ends"),
            CTRT_YMD=day("signed"),
            UPDT_YN=pl.when("is_renewed").then(pl.lit("Y")).otherwise(pl.lit("N")),
            CFMTN_YMD=day("fixed"),
            CFMTN_YMD_NO="fixed_no",
        )
    }


def lease_fixed_date(base: Frames, instants: Instants) -> Frames:
    """LDAT: the fixed date of each lease."""
    return {
        "lease_fixed_date": issued(
            "LDAT",
            _leases(base, instants),
            "fixed_no",
            CFMTN_YMD_NO="fixed_no",
            CFMTN_YMD=day("fixed"),
            LSR_NM="landlord",
            HIRER_NM="name",
            HS_LCTN_NM="road_addr",
            LSCT_OBJ_CN=pick(KEY, "leased object", OBJECTS),
            LSCT_BGNG_YMD=day("begins"),
            LSCT_END_YMD=day("ends"),
            RENT_GRNTE_AMT="deposit",
            MRNT_AMT="rent",
            APPL_NM="name",
        )
    }


def _leases(base: Frames, instants: Instants) -> pl.DataFrame:
    tenants = residents(base, instants).filter(
        is_adult() & (pl.col("relation") == "본인") & (share(KEY, "tenant") < REGISTERED["tenant"])
    )
    landlord = pick(KEY, "landlord", names.SURNAMES) + pick(KEY, "landlord first", tuple(SECOND))
    has_rent = share(KEY, "monthly rent") < REGISTERED["monthly_rent"]
    rent = pl.when(has_rent).then((30 + below(KEY, "rent", 90)) * 10_000).otherwise(0)
    deposit = pl.when(has_rent).then(5 + below(KEY, "deposit", 95)).otherwise(80 + below(KEY, "deposit", 420))
    signed = day_before(settled(), KEY, "lease signed", 60, 700)
    found = tenants.with_columns(
        report_no=pl.lit("LR") + scattered(KEY, 9),
        fixed_no=pl.lit("FD") + scattered(KEY, 9),
        landlord=landlord + pick(KEY, "landlord second", tuple(SECOND)),
        rent=rent.cast(pl.Int64),
        deposit=(deposit * MILLION).cast(pl.Int64),
        signed=signed,
        is_renewed=share(KEY, "renewed lease") < REGISTERED["renewed_lease"],
    ).with_columns(
        begins=pl.col("signed").dt.offset_by("30d"),
        asked=pl.col("signed").dt.offset_by("2d"),
    )
    late = pl.when(share(KEY, "asked late") < REGISTERED["fixed_next_day"]).then(1).otherwise(0)
    dated = (pl.col("asked").cast(pl.Int32) + late).cast(pl.Int32).cast(pl.Date)
    to_monday = pl.when(dated.dt.weekday() > 5).then(8 - dated.dt.weekday()).otherwise(0)
    return found.with_columns(
        ends=pl.col("begins").dt.offset_by(TERM).dt.offset_by("-1d"),
        fixed=(dated.cast(pl.Int32) + to_monday).cast(pl.Int32).cast(pl.Date),
    )
