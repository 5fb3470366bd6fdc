"""Resident numbers of lines are looked at before they become keys; only counts remain."""

from collections import Counter

import pyarrow as pa

from pipeline.remarks import SENTENCE, judged, remarks
from quality.verdict import NOTED, Verdict
from schemas.contract import source
from tests.quality.batches import OBSERVED_AT
from tests.schemas.test_check_digits import resident

RRT = source("RRT")
FITS, ODD = resident("900101999999")
SIMULATED = "902101199999" + "0"


def delivered(*numbers: str | None) -> pa.Table:
    [group] = RRT.groups
    assert group.person is not None
    lines = [{"_line_no": n, group.person.name: number} for n, number in enumerate(numbers, 1)]
    row = dict.fromkeys(RRT.delivered_schema.names) | {group.name: lines}
    return pa.Table.from_pylist([row, row | {group.name: None}], schema=RRT.delivered_schema)


def test_numbers_are_counted_by_group_and_those_without_a_rule_are_not() -> None:
    counted = Counter(judged(RRT, delivered(FITS, ODD, SIMULATED, None)))
    counted.update(judged(RRT, delivered(ODD)))
    [note] = remarks(RRT, counted)
    assert (note.place, note.expectation) == ("members._person_key", SENTENCE)
    assert (note.element_count, note.unexpected_count, note.success) == (3, 2, True)


def test_the_note_holds_counts_and_no_number() -> None:
    notes = remarks(RRT, Counter(judged(RRT, delivered(ODD))))
    verdict = Verdict("suite", False, 1, pa.table({}), pa.table({}), (), notes)
    [row] = verdict.rows("run", "bronze/mois/resident_register", OBSERVED_AT).to_pylist()
    assert (row["verdict"], row["unexpected_count"]) == (NOTED, 1)
    assert ODD not in str(row)
    assert verdict.failures == ()
