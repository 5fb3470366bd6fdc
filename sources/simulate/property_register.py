"""The court's register of real estate: description of a property, ownership, mortgages, cancelled entries.

Entries of ownership come first, then those of other rights. A cancelled mortgage and the entry that cancelled it are
marked; a certificate of what is in force shows neither.
"""

import polars as pl

from schemas.codes import entries
from sources.simulate.documents import day, numbered
from sources.simulate.draws import below, day_before, day_between, digits, pick, settled, share
from sources.simulate.parties import KEY, issued, keyed
from sources.simulate.property import AREA, HUNDREDTHS, LAND, SHARE, decimal, owners, properties
from sources.simulate.rates import REGISTERED
from sources.simulate.store import Frames, Instants

STATE = "국"
BANKS = ("주식회사 한별은행", "주식회사 새마루은행", "한아름신용협동조합")
CAUSES = {"매매": 0.75, "상속": 0.15, "증여": 0.1}
MORTGAGE = "근저당권설정"
CONTRACT, TERMINATION = "설정계약", "해지"
_ENTRY = (
    "record_id",
    "changed_at",
    "part",
    "order",
    "line",
    "person_identifier",
    "RNK_NO",
    "RG_PRPS",
    "received",
    "RG_RCPT_NO",
    "RGCS_CN",
    "caused",
    "RTHDR_NM",
    "SHR_RT",
    "BND_HGHST_AMT",
    "ERSR_YN",
)


def real_estate_register(base: Frames, instants: Instants) -> Frames:
    """REGR: every property, by its number in the register."""
    found = keyed("REGR", properties(base, instants))
    header = issued(
        "REGR",
        found,
        "ren",
        REST_UNQ_NO="ren",
        REST_SE_CD="kind",
        RGOFC_NM=pl.col("place_name").str.split(" ").list.get(1) + " 등기소",
    )
    return {
        "real_estate_register": header,
        "real_estate_register__pyojebu": _description(found),
        "real_estate_register__gap_eul": _entries(found, base),
    }


def _description(found: pl.DataFrame) -> pl.DataFrame:
    """One line, and for a parcel of another category than before the former one above it."""
    names = {e.code: e.name_ko for e in entries("ldcg")}
    is_land = pl.col("kind") == LAND
    former = found.filter(is_land & pl.col("former").is_not_null()).with_columns(category="former", order=pl.lit(1))
    lines = numbered(pl.concat([former, found.with_columns(order=pl.lit(2))]), "order")
    lot = pl.col("mno").cast(pl.String) + "-" + pl.col("sno").cast(pl.String)
    mountain = pl.when(pl.col("ledger") == "2").then(pl.lit(" 산")).otherwise(pl.lit(" "))
    shown = pl.when(is_land).then("area").otherwise("covered")
    return lines.select(
        "record_id",
        "changed_at",
        "line_no",
        INDCT_NO=pl.col("line_no").cast(pl.String),
        LCTN_LOTNO_CN=pl.col("place_name") + mountain + lot,
        LDCG_NM=pl.when(is_land).then(pl.col("category").replace_strict(names, return_dtype=pl.String)),
        AREA=decimal(shown, HUNDREDTHS, AREA),
    )


def _entries(found: pl.DataFrame, base: Frames) -> pl.DataFrame:
    lines = numbered(pl.concat([_ownership(found, base), *_mortgages(found)]), "part", "order", "line")
    return lines.select(
        "record_id",
        "changed_at",
        "line_no",
        "person_identifier",
        "RNK_NO",
        "RG_PRPS",
        RG_RCPT_YMD=day("received"),
        RG_RCPT_NO="RG_RCPT_NO",
        RGCS_CN="RGCS_CN",
        RGCS_YMD=day("caused"),
        RTHDR_NM="RTHDR_NM",
        SHR_RT="SHR_RT",
        BND_HGHST_AMT="BND_HGHST_AMT",
        ERSR_YN="ERSR_YN",
    )


def _ownership(found: pl.DataFrame, base: Frames) -> pl.DataFrame:
    """The State had it registered; it passed to whoever owns it now, a line each."""
    first = found.with_columns(
        **_words(part=1, order=1, rank="1", purpose="소유권보존", cancelled="N"),
        line=pl.lit(1, pl.Int32),
        person_identifier=pl.lit(None, pl.String),
        received=day_before(pl.col("bought"), KEY, "first registered", 400, 9_000),
        RG_RCPT_NO=digits(KEY, "first receipt", 5),
        RGCS_CN=pl.lit(None, pl.String),
        caused=pl.lit(None, pl.Date),
        RTHDR_NM=pl.lit(STATE),
        SHR_RT=pl.lit(None, SHARE),
        BND_HGHST_AMT=pl.lit(None, pl.Int64),
    ).select(_ENTRY)
    present = owners(found, base).rename({"part": "owned"})
    present = present.with_columns(
        **_words(part=1, order=2, rank="2", purpose="소유권이전", cancelled="N"),
        person_identifier="rrn",
        received="bought",
        RG_RCPT_NO=digits(KEY, "transfer receipt", 5),
        RGCS_CN=pick(KEY, "cause of transfer", CAUSES),
        caused=day_before(pl.col("bought"), KEY, "cause of transfer day", 0, 60),
        RTHDR_NM="owner",
        SHR_RT=decimal(pl.col("owned"), HUNDREDTHS, SHARE),
        BND_HGHST_AMT=pl.lit(None, pl.Int64),
    ).select(_ENTRY)
    return pl.concat([first, present])


def _mortgages(found: pl.DataFrame) -> list[pl.DataFrame]:
    """A cancelled one with the entry that cancelled it, and one in force."""
    until = pl.lit(settled())
    found = found.with_columns(
        lent=day_between(pl.col("bought"), until, KEY, "lent"),
        amount=(2 + below(KEY, "lent amount", 60)) * 12_000_000,
    ).with_columns(repaid=day_between(pl.col("lent"), until, KEY, "repaid"))
    was_lent = found.filter(share(KEY, "mortgage cancelled") < REGISTERED["mortgage_cancelled"])
    is_lent = found.filter(share(KEY, "mortgage") < REGISTERED["mortgage"])
    return [
        _mortgage(was_lent, 1, "1", MORTGAGE, "lent", CONTRACT, is_cancelled=True),
        _mortgage(was_lent, 2, "2", "1번근저당권설정등기말소", "repaid", TERMINATION, is_cancelled=True),
        _mortgage(is_lent, 3, "3", MORTGAGE, "lent", CONTRACT, is_cancelled=False),
    ]


def _mortgage(
    found: pl.DataFrame, order: int, rank: str, purpose: str, received: str, cause: str, *, is_cancelled: bool
) -> pl.DataFrame:
    is_loan = purpose == MORTGAGE
    return found.with_columns(
        **_words(part=2, order=order, rank=rank, purpose=purpose, cancelled="Y" if is_cancelled else "N"),
        line=pl.lit(1, pl.Int32),
        person_identifier=pl.lit(None, pl.String),
        received=received,
        RG_RCPT_NO=digits(KEY, f"receipt {order}", 5),
        RGCS_CN=pl.lit(cause),
        caused=received,
        RTHDR_NM=pick(KEY, f"bank {order}", BANKS) if is_loan else pl.lit(None, pl.String),
        SHR_RT=pl.lit(None, SHARE),
        BND_HGHST_AMT=pl.col("amount") if is_loan else pl.lit(None, pl.Int64),
    ).select(_ENTRY)


def _words(*, part: int, order: int, rank: str, purpose: str, cancelled: str) -> dict[str, pl.Expr]:
    return {
        "part": pl.lit(part),
        "order": pl.lit(order),
        "RNK_NO": pl.lit(rank),
        "RG_PRPS": pl.lit(purpose),
        "ERSR_YN": pl.lit(cancelled),
    }
