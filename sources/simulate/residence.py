"""The abstract of one resident's registration: every address so far, former names, military matters where asked for.

The last line of the addresses is the present household's; `is_current` marks it, and the narrow variant shows it alone.
"""

import polars as pl

from sources.simulate import regions
from sources.simulate.credentials import FORCE_NAMES, RANK_NAMES, is_liable, service
from sources.simulate.documents import day, numbered
from sources.simulate.draws import below, pick, share
from sources.simulate.parties import KEY, issued, keyed, repeated, residents
from sources.simulate.rates import REGISTERED
from sources.simulate.store import Frames, Instants

MOST_MOVES, LEAST_STAY = 4, 400
BORN, ENTERED, SPLIT, MERGED, AGAIN = "02", "01", "03", "04", "06"
REASONS = {"02": SPLIT, "03": MERGED, "06": AGAIN}  # of a household's coming about; else by moving in
ROADS = ("새벽로", "은행나무길", "느티로", "중앙대로", "향교길", "들꽃로", "강변대로", "시장길")


def individual_abstract(base: Frames, instants: Instants) -> Frames:
    """RRA: every resident."""
    found = keyed("RRA", residents(base, instants))
    served = service(found.filter(is_liable() & (share(KEY, "military shown") < REGISTERED["military_on_abstract"])))
    force = pl.col("force").replace_strict(FORCE_NAMES, return_dtype=pl.String)
    rank = pl.col("rank").replace_strict(RANK_NAMES, return_dtype=pl.String)
    printed = served.filter(pl.col("ended").is_not_null()).select("number", MLSV_MTTR_CN=force + " " + rank + " 전역")
    header = issued(
        "RRA",
        found.join(printed, on="number", how="left", maintain_order="left"),
        "rrn",
        FLNM="name",
        MLSV_MTTR_CN="MLSV_MTTR_CN",
        REG_STTS_CD=pl.when("is_unknown").then(pl.lit("02")).otherwise(pl.lit("01")),
    )
    former = found.filter(pl.col("former_name").is_not_null()).select(
        "record_id",
        "changed_at",
        line_no=pl.lit(1, pl.Int32),
        is_current=pl.lit(False),
        CHG_BFR_FLNM="former_name",
    )
    return {
        "individual_abstract": header,
        "individual_abstract__addr_history": _addresses(found, base),
        "individual_abstract__name_history": former,
    }


def _addresses(found: pl.DataFrame, base: Frames) -> pl.DataFrame:
    heads = base["persons"].select(head_id="person_id", head="name")
    found = found.join(heads, on="head_id", how="left", maintain_order="left").with_columns(
        came=pl.max_horizontal("moved_in", "born")
    )
    is_birth = pl.col("born") >= pl.col("moved_in")
    reason = pl.col("reason").replace_strict(REASONS, default=ENTERED, return_dtype=pl.String)
    named = regions.places().select(stdg_cd="code", prefix="road_prefix")
    found = found.join(named, on="stdg_cd", how="left", maintain_order="left")
    current = regions.as_it_was(found, "stdg_cd", "came").select(
        "record_id",
        "changed_at",
        is_current=pl.lit(True),
        ROAD_NM_ADDR=pl.col("prefix_then") + pl.col("road_addr").str.slice(pl.col("prefix").str.len_chars()),
        STDG_CD="code_then",
        day="came",
        FLCTN_RSN_CD=pl.when(is_birth).then(pl.lit(BORN)).otherwise(reason),
        HSHLDR_NM="head",
    )
    lines = numbered(pl.concat([_earlier(found, base), current]), "is_current", "day")
    return lines.select(
        "record_id",
        "changed_at",
        "line_no",
        "is_current",
        "ROAD_NM_ADDR",
        "STDG_CD",
        MVIN_YMD=day("day"),
        FLCTN_RSN_CD="FLCTN_RSN_CD",
        HSHLDR_NM="HSHLDR_NM",
    )


def _earlier(found: pl.DataFrame, base: Frames) -> pl.DataFrame:
    """Up to four addresses since birth. Hard cases: codes of renamed regions, struck off and registered again."""
    parents = [base["persons"].select(pl.col("person_id").alias(p), pl.col("name").alias(f"{p}_name"))
               for p in ("father_id", "mother_id")]  # fmt: skip
    for parent in parents:
        found = found.join(parent, on=parent.columns[0], how="left", maintain_order="left")
    span = (pl.col("came") - pl.col("born")).dt.total_days()
    count = pl.min_horizontal(below(KEY, "moves", MOST_MOVES + 1), span // LEAST_STAY)
    lines = repeated(found.with_columns(span=span), count, MOST_MOVES)
    key, stay = pl.col("line_key"), pl.col("span") // pl.col("count")
    moved = pl.col("born").cast(pl.Int32) + stay * (pl.col("line") - 1)
    moved += pl.when(pl.col("line") > 1).then(below(key, "moved", stay - 30)).otherwise(0)
    places = regions.places().filter(pl.col("code").is_in(sorted(regions.ancient()[0]))).with_row_index("place")
    places = places.select(pl.col("place").cast(pl.Int64), "code")
    lines = lines.with_columns(place=below(key, "place", len(places)), day=moved.cast(pl.Int32).cast(pl.Date))
    lines = regions.as_it_was(lines.join(places, on="place", how="left", maintain_order="left"), "code", "day")
    road = pl.lit(" ") + pick(key, "road", ROADS) + " " + (1 + below(key, "building", 299)).cast(pl.String)
    is_child = pl.col("day") < pl.col("born").dt.offset_by("19y")
    reason = (
        pl.when((pl.col("line") == 1) & pl.col("nationality").is_null())
        .then(pl.lit(BORN))
        .when(share(key, "registered again") < REGISTERED["address_unreturned"])
        .then(pl.lit(AGAIN))
        .otherwise(pick(key, "reason", {ENTERED: 0.85, SPLIT: 0.1, MERGED: 0.05}))
    )
    own = pl.col("name")
    return lines.select(
        "record_id",
        "changed_at",
        is_current=pl.lit(False),
        ROAD_NM_ADDR=pl.col("prefix_then") + road,
        STDG_CD="code_then",
        day="day",
        FLCTN_RSN_CD=reason,
        HSHLDR_NM=pl.when(is_child).then(pl.coalesce("father_id_name", "mother_id_name", own)).otherwise(own),
    )
