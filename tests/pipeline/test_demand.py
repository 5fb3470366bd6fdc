"""What a pull asks a holder for: changed or newly authorised, and nobody else (P2)."""

from typing import Any

import pyarrow as pa
import pytest

from pipeline.coverage import COVERAGE_SCHEMA, unite
from pipeline.demand import Former, demand, steady
from schemas.contract import source
from tests.consent.making import AT, DAY, SECOND, approval_row, authorisation_row, snapshot_of
from tests.pipeline.test_coverage import allowed

INCOME = source("INCM")
NOTHING = COVERAGE_SCHEMA.empty_table()
NUMBERS = pa.table({"_subject_key": pa.array([1, 2], pa.int64()), "identifier": ["9021011000001", "9021012000002"]})


def coverage(*rows: tuple[int, str, list[str]]) -> pa.Table:
    return unite(allowed(*rows), INCOME)


def asked(now: pa.Table, former: Former) -> dict[int, tuple[frozenset[str], bool]]:
    request = demand(INCOME, now, NUMBERS, former).request
    return {r["_subject_key"]: (request.column_sets[r["column_set"]], r["is_new"]) for r in request.table.to_pylist()}


def test_p1_an_empty_gate_asks_for_nobody() -> None:
    assert asked(NOTHING, Former(None, NOTHING, NOTHING)) == {}


def test_p2_each_subject_is_asked_for_its_own_columns_only() -> None:
    now = coverage((1, "a", ["ISSU_NO"]), (2, "b", ["ISSU_NO", "lines.TXBS_AMT"]))
    assert asked(now, Former(None, NOTHING, NOTHING)) == {
        1: (frozenset({"ISSU_NO"}), True),
        2: (frozenset({"ISSU_NO", "lines.TXBS_AMT"}), True),
    }


def test_what_was_asked_before_and_did_not_move_is_not_new() -> None:
    now = coverage((1, "a", ["ISSU_NO"]))
    assert asked(now, Former("2026-06-01T00:00:00+00:00", now, now))[1] == (frozenset({"ISSU_NO"}), False)


def test_one_more_authorised_column_makes_the_subject_new() -> None:
    before = coverage((1, "a", ["ISSU_NO"]))
    now = coverage((1, "a", ["ISSU_NO", "lines.TXBS_AMT"]))
    assert asked(now, Former("2026-06-01T00:00:00+00:00", before, before))[1][1] is True


def test_a_lifted_disclosure_block_makes_the_subject_new() -> None:
    """Its lines were dropped before they reached the disk, so they are asked for again."""
    now = coverage((1, "a", ["ISSU_NO"]))
    index = now.schema.get_field_index("blocked")
    before = now.set_column(index, "blocked", pa.array([[7]], pa.list_(pa.int64())))
    assert asked(now, Former("2026-06-01T00:00:00+00:00", before, now))[1][1] is True
    assert asked(before, Former("2026-06-01T00:00:00+00:00", now, now))[1][1] is False


def test_f40_withdrawn_and_granted_anew_is_asked_for_its_whole_history() -> None:
    """The last pull asked for it, but what covers it now came later: in between it may have been erased."""
    now = coverage((1, "b", ["ISSU_NO"]))
    assert asked(now, Former("2026-06-01T00:00:00+00:00", now, NOTHING))[1][1] is True


def test_a_subject_unknown_to_the_vault_is_not_asked_about() -> None:
    assert asked(coverage((3, "a", ["ISSU_NO"])), Former(None, NOTHING, NOTHING)) == {}


BEFORE, SINCE = AT - DAY, AT
MOVES: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    # authorisation, approval, is steady since ledger position 5 and the instant SINCE
    ({}, {}, True),
    ({"ledger_position": 5}, {"ledger_position": 5}, True),
    ({"ledger_position": 6}, {}, False),
    ({}, {"ledger_position": 6}, False),
    ({"valid_from": SINCE}, {"valid_from": SINCE}, True),
    ({"valid_from": SINCE + SECOND}, {}, False),
    ({}, {"valid_from": SINCE + SECOND}, False),
    ({}, {"document_type": "FAMR", "valid_from": SINCE + SECOND, "ledger_position": 6}, True),
]


@pytest.mark.parametrize(("authorisation", "approval", "is_steady"), MOVES)
def test_f40_f7_what_an_event_or_an_interval_s_begin_moved_since_the_last_pull_is_not_steady(
    authorisation: dict[str, Any], approval: dict[str, Any], is_steady: bool
) -> None:
    """Two agreements with a gap between them: no event tells that the rows were erased in the gap."""
    given = {"authorisation_id": "a", "document_type": "INCM", "valid_from": BEFORE} | authorisation
    agreed = {"document_type": "INCM", "valid_from": BEFORE} | approval
    snapshot = snapshot_of([authorisation_row(**given)], [approval_row(**agreed)])
    found = steady(allowed((1, "a", ["ISSU_NO"])), snapshot, "INCM", 5, SINCE)
    assert found.num_rows == is_steady
