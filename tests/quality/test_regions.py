"""Region codes as of their day: what did not exist yet fails, what nobody can translate is counted."""

import pytest

from quality.gate import check
from quality.verdict import NOTED, Verdict
from schemas.contract import source
from tests.quality.batches import OBSERVED_AT, batch, setting

RRT, RRA = source("RRT"), source("RRA")
YET_TO_COME = "stdg_cd", "5111010100"  # 강원특별자치도 춘천시 봉의동, since 2023-06-11
EXISTED = "STDG_CD: is a code that existed on ISSU_YMD"
OPEN = "is in force on its day, or has one successor that is"


def judged(**values: str | None) -> Verdict:
    def spoil(rows: list[dict[str, object]]) -> None:
        for name, value in values.items():
            setting(name, value)(rows)

    return check(batch(RRT, 25, spoil), RRT)


@pytest.mark.parametrize(("day", "fails"), [("20230610", True), ("20230611", False), (None, False)])
def test_a_code_that_did_not_exist_yet_on_the_day_of_issue_fails(day: str | None, fails: bool) -> None:
    covered = [frozenset(RRT.column_paths) - ({"ISSU_YMD"} if day is None else set())] * 25

    def spoil(rows: list[dict[str, object]]) -> None:
        rows[0] |= {"issu_ymd": day, "stdg_cd": "5111010100"}

    failing = check(batch(RRT, 25, spoil), RRT, covered).failing["_reasons"].to_pylist()
    assert (failing == [[EXISTED]]) == fails
    assert bool(failing) == fails


def test_a_line_is_held_to_its_own_day() -> None:
    def spoil(rows: list[dict[str, object]]) -> None:
        lines = rows[0]["addr_history"]
        assert isinstance(lines, list)
        lines[0] |= {"stdg_cd": "5111010100", "mvin_ymd": "20230610"}

    [reasons] = check(batch(RRA, 25, spoil), RRA).failing["_reasons"].to_pylist()
    assert reasons == ["addr_history.STDG_CD: is a code that existed on MVIN_YMD"]


def test_an_abolished_code_passes_and_only_one_without_successor_is_noted() -> None:
    renamed, split = judged(stdg_cd="4211010100"), judged(stdg_cd="4159025000")
    assert renamed.failing.num_rows == split.failing.num_rows == 0
    counts = [{n.place: n.unexpected_count for n in v.notes if n.expectation == OPEN} for v in (renamed, split)]
    assert counts == [{"STDG_CD": 0, "DONG_CD": 0}, {"STDG_CD": 1, "DONG_CD": 0}]


def test_a_note_stands_among_the_verdicts_with_counts_and_no_value() -> None:
    rows = judged(stdg_cd="4159025000").rows("run", "bronze/mois/resident_register", OBSERVED_AT).to_pylist()
    [note] = [r for r in rows if r["verdict"] == NOTED and r["column"] == "STDG_CD"]
    assert (note["element_count"], note["unexpected_count"], note["success"]) == (25, 1, True)
    assert "4159025000" not in str(note)


def test_an_odd_check_digit_is_noted_of_an_old_corporation_alone() -> None:
    contract = source("CORR")
    sentence = "has the check digit of a number given before 2025-01-31"

    def noted(number: str, founded: str) -> tuple[int, int]:
        def spoil(rows: list[dict[str, object]]) -> None:
            for row in rows:
                row["fndn_ymd"] = founded
            rows[0]["crno_shown"] = number

        found = check(batch(contract, 3, spoil), contract)
        assert found.failing.num_rows == 0
        [note] = [n for n in found.notes if n.expectation == sentence]
        return note.element_count, note.unexpected_count

    fits, odd = "9901110000016", "9901110000017"
    (counted, before), (_, after) = noted(fits, "20100301"), noted(odd, "20100301")
    assert (counted, after - before) == (3, 1)
    assert noted(odd, "20250131") == (0, 0)
