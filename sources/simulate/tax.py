"""Tax registers: clearance of local and national taxes, and what a local tax was assessed at.

A clearance is good for 30 days after its issue, the day of the record's last change, so some have run out on any day.
"""

import polars as pl

from sources.simulate.draws import TODAY, below, pick, share
from sources.simulate.parties import KEY, in_arrears, issued, payers
from sources.simulate.rates import REGISTERED
from sources.simulate.store import Frames, Instants

VALID_DAYS = 30
YEAR = TODAY.year - 1
# The month in which each local tax falls due, and what it is laid on.
ITEMS = {"재산세": "07", "자동차세": "12", "취득세": "10", "주민세": "08", "지방소득세": "05"}
THINGS = {
    "재산세": "주택",
    "자동차세": "승용자동차",
    "취득세": "토지",
    "주민세": "개인분",
    "지방소득세": "종합소득",
}
RATES = {"재산세": 25, "자동차세": 90, "취득세": 400, "주민세": 1, "지방소득세": 60}  # of 10,000
LOCAL_PURPOSES = ("대금수령", "해외이주", "부동산 신탁등기", "그 밖의 목적")
NATIONAL_PURPOSES = ("대금수령", "이민", "입찰참가", "그 밖의 목적")


def _expiry() -> pl.Expr:
    seoul = pl.col("changed_at").dt.convert_time_zone("Asia/Seoul")
    return seoul.dt.offset_by(f"{VALID_DAYS}d").dt.strftime("%Y%m%d")


def _yes(condition: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(pl.lit("Y")).otherwise(pl.lit("N"))


def _deferred() -> pl.Expr:
    amount = 100_000 + below(KEY, "deferred", 300) * 10_000
    return pl.when(share(KEY, "tax deferred") < REGISTERED["tax_deferred"]).then(amount).otherwise(0)


def _assessed(found: pl.DataFrame) -> pl.DataFrame:
    """Adds the item, what it was laid on, base and tax. A corporation's is due after it was founded."""
    item = pick(KEY, "tax item", tuple(ITEMS))
    found = found.with_columns(item=pl.when("is_firm").then(pl.lit("자동차세")).otherwise(item))
    found = found.with_columns(tax_base=(50 + below(KEY, "tax base", 4_000)) * 100_000)
    levied = pl.col("tax_base") * pl.col("item").replace_strict(RATES, return_dtype=pl.Int64) // 10_000
    return found.with_columns(levy=pl.max_horizontal(levied // 10 * 10, pl.lit(10_000, pl.Int64)), owes=in_arrears())


def local_tax_clearance(base: Frames, instants: Instants) -> Frames:
    """LTAXC: adult residents and all corporations. What is unpaid is what LTAXI tells."""
    found = _assessed(payers(base, instants, "crn"))
    header = issued(
        "LTAXC",
        found,
        "identifier",
        TXPR_NM="name",
        TXPR_ADDR="address",
        NPMNT_YN=_yes(pl.col("owes")),
        NPMNT_AMT=pl.when("owes").then("levy").otherwise(0),
        CLCTN_PSTP_AMT=_deferred(),
        CRTF_USG_NM=pick(KEY, "local purpose", LOCAL_PURPOSES),
        VLD_PRD_EXPRY_YMD=_expiry(),
    )
    return {"local_tax_clearance": header}


def local_tax_assessment(base: Frames, instants: Instants) -> Frames:
    """LTAXI: one item of last year for each adult resident and corporation."""
    found = _assessed(payers(base, instants, "crn"))
    month = pl.lit(str(YEAR)) + pl.col("item").replace_strict(ITEMS, return_dtype=pl.String)
    paid_on = month + (16 + below(KEY, "paid on", 12)).cast(pl.String)
    header = issued(
        "LTAXI",
        found,
        "identifier",
        TXTN_YR=pl.lit(str(YEAR)),
        TXTN_YM=month,
        TXITM_NM="item",
        TXTN_THING_NM=pl.col("item").replace_strict(THINGS, return_dtype=pl.String),
        TXBS_AMT="tax_base",
        LEVY_AMT="levy",
        PAY_AMT=pl.when("owes").then(0).otherwise("levy"),
        PAY_YMD=pl.when(~pl.col("owes")).then(paid_on),
        STDG_CD="stdg_cd",
        NPMNT_AMT=pl.when("owes").then("levy").otherwise(0),
    )
    return {"local_tax_assessment": header}


def national_tax_clearance(base: Frames, instants: Instants) -> Frames:
    """NTAXC: adult residents and all corporations; a person's has no business."""
    found = payers(base, instants, "brn")
    owed = (10 + below(KEY, "national arrears", 2_000)) * 10_000
    owes = share(KEY, "national tax arrears") < REGISTERED["tax_arrears"]
    header = issued(
        "NTAXC",
        found,
        "identifier",
        CONM=pl.when("is_firm").then("name"),
        RPRSV_NM="representative",
        BRNO="brn",
        BPLC_ADDR=pl.when("is_firm").then("address"),
        NPMNT_YN=_yes(owes),
        NPMNT_AMT=pl.when(owes).then(owed).otherwise(0),
        CLCTN_PSTP_AMT=_deferred(),
        NPMNT_DSPS_PSPN_AMT=pl.lit(0, pl.Int64),
        PRF_PRPS=pick(KEY, "national purpose", NATIONAL_PURPOSES),
        VLD_PRD_EXPRY_YMD=_expiry(),
    )
    return {"national_tax_clearance": header}
