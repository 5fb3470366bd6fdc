"""Export declarations of corporations that trade or manufacture: the newest of each, with its lines of goods."""

import polars as pl

from sources.simulate.documents import day
from sources.simulate.draws import below, day_before, pick, scattered, settled, share
from sources.simulate.parties import KEY, firms, issued, keyed, repeated
from sources.simulate.rates import REGISTERED
from sources.simulate.store import Frames, Instants

# Goods: ten digits of the harmonised system. The first six are the world's; the rest is each country's own.
GOODS = {"전자집적회로": "8542310000", "자동차 부분품": "8708990000", "라면": "1902301010", "기초화장품": "3304991000"}
COUNTRIES = {"USA": 0.35, "CHN": 0.3, "VNM": 0.2, "JPN": 0.15}
MOST_LINES = 4


def export_declaration(base: Frames, instants: Instants) -> Frames:
    """EXPC: corporations that export."""
    found = firms(base, instants).filter((pl.col("status") == "1") & (share(KEY, "exports") < REGISTERED["exporter"]))
    found = keyed("EXPC", found).with_columns(
        goods=pick(KEY, "goods", tuple(GOODS)), accepted=day_before(settled(), KEY, "export accepted", 10, 120)
    )
    is_shipped = share(KEY, "shipped") < REGISTERED["shipped_export"]
    header = issued(
        "EXPC",
        found,
        "brn",
        EXP_DCLR_NO=pl.lit("99026") + scattered(KEY, 9) + "X",
        BRNO="brn",
        CONM="name",
        DCLR_ACPT_YMD=day("accepted"),
        NTN_CD=pick(KEY, "destination", COUNTRIES),
        ITEM_NO=pl.col("goods").replace_strict(GOODS, return_dtype=pl.String),
        SHPMT_YMD=pl.when(is_shipped).then(pl.col("accepted").dt.offset_by("9d").dt.strftime("%Y%m%d")),
    )
    lines = repeated(found, 1 + below(KEY, "export lines", MOST_LINES), MOST_LINES)
    line = pl.col("line_key")
    halves = (2 + below(line, "quantity", 20_000)).cast(pl.Decimal(10, 3)) / pl.lit(2).cast(pl.Decimal(10, 3))
    return {
        "export_declaration": header,
        "export_declaration__lines": lines.select(
            "record_id",
            "changed_at",
            "line_no",
            ITEM_NM=pl.col("goods") + " " + pl.col("line").cast(pl.String) + "호",
            QTY=halves.cast(pl.Decimal(10, 3)),
            DCLR_AMT=((1 + below(line, "value", 900)) * 100_000).cast(pl.Int64),
        ),
    }
