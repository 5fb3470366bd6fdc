"""P2: the lines of a victim leave every table of the restricted person's documents, and come back when lifted."""

from consent import blocks
from lake import tables
from pipeline.erase import erase
from pipeline.gold import share_schema
from schemas.contract import gold, source
from tests.small_lake import SmallLake

LAW = "가족관계의 등록 등에 관한 법률 제14조 제8항"
FAMR = source("FAMR")
LINES = gold("family_relation_certificate__relatives")


def lines_of(lake: SmallLake, subject: int) -> tuple[int, int]:
    """How many relatives a subject's certificate shows, in bronze and in gold."""
    root = lake.run.settings.lake_root
    bronze = tables.read(root, f"bronze/{FAMR.dataset}", schema=FAMR.bronze_schema).to_pylist()
    published = tables.read(root, f"gold/{LINES.name}", schema=LINES.gold_schema).to_pylist()
    group = FAMR.groups[0].name
    return (
        sum(len(r[group] or []) for r in bronze if r["_subject_key"] == subject),
        sum(r["_subject_key"] == subject for r in published),
    )


def shared_lines(lake: SmallLake) -> int:
    root = lake.run.settings.lake_root
    return tables.read(root, f"shares/mogef/{LINES.name}", schema=share_schema(LINES, "mogef")).num_rows


def test_a_victims_line_leaves_bronze_gold_and_shares_and_nobody_elses_does(own_lake: SmallLake) -> None:
    """Each certificate of the small lake shows `one` as a relative."""
    one, two = own_lake.one, own_lake.two
    assert lines_of(own_lake, two.key) == (1, 1)
    before = shared_lines(own_lake)

    blocks.block(own_lake.run.conn, one.key, two.key, LAW, own_lake.run.at())
    erase(own_lake.run)

    assert lines_of(own_lake, two.key) == (0, 0)
    assert lines_of(own_lake, one.key) == (1, 1)
    assert shared_lines(own_lake) == before - 1
