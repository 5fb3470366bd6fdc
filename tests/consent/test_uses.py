"""How often a holder is asked: cycle and cap limit asking, not holding (F41, Decree 51-2 (3))."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from consent import gate, ledger, uses
from consent.model import Cycle
from tests.consent.making import (
    AT,
    DAY,
    SECOND,
    approval,
    approval_row,
    authorisation_row,
    grant,
    representation_row,
    scope,
    snapshot_of,
    standing,
)

TODAY = {"authorisation_id": "auth-1", "document_type": "RRT", "period": "2026-06-01", "ledger_position": 5}


@pytest.mark.parametrize(
    ("cycle", "last_second", "before", "after"),
    [
        (Cycle.DAILY, datetime(2026, 6, 1, 14, 59, 59, tzinfo=UTC), "2026-06-01", "2026-06-02"),
        (Cycle.MONTHLY, datetime(2026, 5, 31, 14, 59, 59, tzinfo=UTC), "2026-05", "2026-06"),
        (Cycle.WEEKLY, datetime(2026, 5, 31, 14, 59, 59, tzinfo=UTC), "2026-W22", "2026-W23"),
        (Cycle.WEEKLY, datetime(2026, 12, 31, 15, tzinfo=UTC), "2026-W53", "2026-W53"),  # a week of two years
        (Cycle.DAILY, datetime(2028, 2, 28, 14, 59, 59, tzinfo=UTC), "2028-02-28", "2028-02-29"),
    ],
)
def test_f7_a_period_turns_at_midnight_in_seoul(cycle: Cycle, last_second: datetime, before: str, after: str) -> None:
    assert (uses.period(cycle, last_second), uses.period(cycle, last_second + SECOND)) == (before, after)


def unasked(row: dict[str, Any], use: dict[str, Any] | None = None, at: datetime = AT, **facts: Any) -> dict[str, int]:
    rows = [authorisation_row(mode="standing", **row)]
    approvals = facts.pop("approvals", [approval_row()])
    snapshot = snapshot_of(rows, approvals, uses=[] if use is None else [{**TODAY, **use}], **facts)
    allowed = gate.allowed(snapshot, at)
    asked, why = uses.askable(allowed, snapshot, at)
    assert allowed.num_rows == 1, "what was received stands"
    assert asked.num_rows == 1 - sum(why.values())
    assert asked.schema == gate.GATE_SCHEMA
    return dict(why)


def test_what_was_never_used_is_asked_for() -> None:
    assert unasked({"cycle": "daily", "frequency_cap": 1}) == {}


@pytest.mark.parametrize(
    ("cycle", "period", "expected"),
    [
        ("daily", "2026-06-01", {"not_due": 1}),
        ("daily", "2026-05-31", {}),
        ("weekly", "2026-W23", {"not_due": 1}),
        ("weekly", "2026-W22", {}),
        ("monthly", "2026-06", {"not_due": 1}),
        ("monthly", "2026-05", {}),
        (None, "2026-06-01", {}),  # without a cycle: at each run
    ],
)
def test_within_one_cycle_a_document_is_brought_once(cycle: str | None, period: str, expected: dict[str, int]) -> None:
    assert unasked({"cycle": cycle, "used_count": 1}, {"period": period}) == expected


@pytest.mark.parametrize(
    ("used", "use", "expected"),
    [
        (1, {"period": "2026-05-31"}, {}),
        (2, {"period": "2026-05-31"}, {"frequency_exceeded": 1}),
        (3, {"period": "2026-05-31"}, {"frequency_exceeded": 1}),
        (2, {"period": "2026-06-01"}, {"frequency_exceeded": 1}),
        # the second use is this day's, and another document of it came already
        (2, {"period": "2026-06-01", "document_type": "FAMR"}, {}),
    ],
)
def test_f41_the_cap_counts_periods_and_what_was_received_stands(
    used: int, use: dict[str, Any], expected: dict[str, int]
) -> None:
    assert unasked({"frequency_cap": 2, "used_count": used}, use) == expected


def test_what_moved_since_its_use_is_asked_for_again() -> None:
    """In between its rows may have been erased."""
    row = {"cycle": "daily", "used_count": 1}
    assert unasked({**row, "ledger_position": 6}, {}) == {}
    assert unasked(row, {}, approvals=[approval_row(ledger_position=6)]) == {}
    assert unasked(row, {}, representations=[representation_row(ledger_position=6)]) == {}
    lifted = {"restricted_key": 7, "victim_key": 8, "valid_from": AT - DAY, "valid_until": AT, "ledger_position": 6}
    assert unasked(row, {}, blocks=[lifted]) == {}
    assert unasked(row, {}, blocks=[{**lifted, "restricted_key": 10}]) == {"not_due": 1}


def test_a_certificate_that_is_asked_for_anyway_brings_what_waits_but_not_what_is_spent() -> None:
    waiting = authorisation_row(mode="standing", cycle="daily", used_count=1)
    other = authorisation_row(authorisation_id="auth-2")
    for row, expected in ((waiting, ["auth-1", "auth-2"]), ({**waiting, "frequency_cap": 1}, ["auth-2"])):
        snapshot = snapshot_of([row, other], [approval_row()], uses=[TODAY])
        asked, _ = uses.askable(gate.allowed(snapshot, AT), snapshot, AT)
        assert asked.column("authorisation_id").to_pylist() == expected


def counts(conn: psycopg.Connection) -> dict[str, int]:
    rows = ledger.authorisations(conn).to_pylist()
    return {r["authorisation_id"]: r["used_count"] for r in rows}


def test_a_use_is_counted_once_in_its_period_whatever_is_retried(ledger_conn: psycopg.Connection) -> None:
    (key,) = ledger.grant(ledger_conn, [standing(scope(), scope("FAMR"), cycle="daily")], AT)
    assert uses.mark(ledger_conn, [(key, "RRT"), (key, "RRT")], AT) == 1
    assert uses.mark(ledger_conn, [(key, "RRT")], AT + SECOND) == 0
    assert uses.mark(ledger_conn, [(key, "RRT"), (key, "FAMR")], AT + SECOND) == 1
    assert counts(ledger_conn) == {key: 1}
    assert uses.mark(ledger_conn, [(key, "RRT"), (key, "FAMR")], AT + DAY) == 2
    assert counts(ledger_conn) == {key: 2}
    assert [e.kind for e in ledger.history(ledger_conn, key)] == ["granted"] + ["used"] * 4
    moved = set(ledger.authorisations(ledger_conn).column("ledger_position").to_pylist())
    assert moved == {1}, "a use is no move: nothing is asked for anew because of it"


def test_many_uses_are_counted_in_parts(ledger_conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uses, "USE_AT_ONCE", 2)
    keys = ledger.grant(ledger_conn, [standing(scope(subject_key=k)) for k in range(1, 6)], AT)
    assert uses.mark(ledger_conn, [(k, "RRT") for k in keys], AT) == 5
    assert set(counts(ledger_conn).values()) == {1}


def test_only_a_granted_standing_authorisation_is_used(ledger_conn: psycopg.Connection) -> None:
    keys = ledger.grant(ledger_conn, [grant(), standing(scope(subject_key=8)), standing(scope(subject_key=9))], AT)
    ledger.withdraw(ledger_conn, keys[1], AT)
    ledger.pause(ledger_conn, keys[2], AT)
    assert uses.mark(ledger_conn, [(k, "RRT") for k in [*keys, "auth-unknown"]], AT) == 0
    assert set(counts(ledger_conn).values()) == {0}


def test_f41_a_used_authorisation_waits_and_is_due_again_in_the_next_cycle(ledger_conn: psycopg.Connection) -> None:
    ledger.approve(ledger_conn, approval(), AT)
    (key,) = ledger.grant(ledger_conn, [standing(cycle="daily", frequency_cap=2)], AT)
    midnight = datetime(2026, 6, 1, 15, tzinfo=UTC)

    def why(at: datetime) -> dict[str, int]:
        snapshot = ledger.snapshot(ledger_conn)
        return dict(uses.askable(gate.allowed(snapshot, at), snapshot, at)[1])

    uses.mark(ledger_conn, [(key, "RRT")], AT)
    assert [why(midnight + timedelta(seconds=s)) for s in (-1, 0, 1)] == [{"not_due": 1}, {}, {}]
    uses.mark(ledger_conn, [(key, "RRT")], midnight)
    assert why(midnight + DAY) == {"frequency_exceeded": 1}
    assert gate.allowed(ledger.snapshot(ledger_conn), midnight + DAY).num_rows == 1
