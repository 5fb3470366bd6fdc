"""What an erasure counts, and what it looks for afterwards."""

import pyarrow as pa

from pipeline.coverage import covered, unite
from pipeline.residue import Loss, Residue
from tests.pipeline.test_coverage import INCOME, allowed, bronze

EVERYTHING = list(INCOME.column_paths)


def noted(*gate: tuple[int, str, list[str]]) -> tuple[Residue, pa.Table]:
    """Three subjects' rows before, what the gate leaves after."""
    residue, held = Residue(), bronze(1, 2, 3)
    residue.note("bronze", held, covered(INCOME, held, unite(allowed(*gate), INCOME)))
    return residue, held


def test_what_stays_whole_is_no_loss() -> None:
    residue, _ = noted(*((s, "a", EVERYTHING) for s in (1, 2, 3)))
    assert residue.losses["bronze"] == Loss(0, 0)
    assert residue.needles == []


def test_rows_that_go_and_rows_that_say_less_are_counted_apart() -> None:
    residue, _ = noted((1, "a", EVERYTHING), (2, "a", ["ISSU_NO", "INERN_NM", "lines.TXBS_AMT"]))
    assert residue.losses["bronze"] == Loss(1, 1)
    assert residue.needles == ["e3"]


def test_a_column_of_its_own_and_a_whole_group_count_as_saying_less() -> None:
    own = [c for c in EVERYTHING if c != "INERN_NM"]
    no_lines = [c for c in EVERYTHING if not c.startswith("lines.")]
    residue, _ = noted((1, "a", own), (2, "a", no_lines), (3, "a", EVERYTHING))
    assert residue.losses["bronze"] == Loss(0, 2)


def test_an_id_that_another_table_still_holds_is_no_needle() -> None:
    residue, held = noted((1, "a", EVERYTHING))
    residue.note("gold", held, held.slice(1, 1))
    assert residue.needles == ["e3"]
