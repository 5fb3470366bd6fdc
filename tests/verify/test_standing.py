"""The verifier folds the ledger's events by itself; the gate decides from the ledger's tables. They must agree."""

from bisect import bisect_right
from collections.abc import Callable
from datetime import date, datetime, timedelta

import psycopg
import pytest

from consent import approvals, blocks, deaths, gate, ledger, representations
from consent.model import Capacity
from tests.consent.making import AT, DAY, approval, grant, proof, scope, standing
from verify.events import folded
from verify.standing import standing as standing_of
from verify.standing import turns

Step = Callable[[psycopg.Connection, str, datetime], object]
CHILD, PARENT_OF_CHILD, OTHER = 7, 8, 9


def agree(conn: psycopg.Connection, at: datetime) -> set[tuple[str, int, str]]:
    """What both say may stand at an instant: (authorisation, subject, document). Fails where they differ."""
    allowed = gate.allowed(ledger.snapshot(conn), at).to_pylist()
    lives, wrong = folded(ledger.events(conn, 0).to_pylist())
    assert wrong == []
    found = standing_of(lives, at)
    own = {(key, *s.key[:2]): s.columns for key, scopes in found.scopes.items() for s in scopes if s.stands}
    theirs = {(r["authorisation_id"], r["_subject_key"], r["document_type"]): set(r["columns"]) for r in allowed}
    assert set(own) == set(theirs)
    assert all(theirs[key] <= own[key] for key in own)
    for row in allowed:
        key = (row["_subject_key"], row["document_type"], row["variant"])
        assert set(row["blocked"] or ()) <= found.kept_out(key)
    return set(own)


def approved(conn: psycopg.Connection) -> None:
    for document in ("RRT", "FAMR"):
        ledger.approve(conn, approval(document), AT - DAY)


def _approval_of(conn: psycopg.Connection, document: str) -> str:
    rows = approvals.approvals(conn).to_pylist()
    return next(str(r["approval_id"]) for r in rows if r["document_type"] == document)


# What closes one of the two documents or both, and how many stand afterwards.
CLOSING: dict[str, tuple[Step, int]] = {
    "withdrawn": (lambda conn, key, at: ledger.withdraw(conn, key, at), 0),
    "paused": (lambda conn, key, at: ledger.pause(conn, key, at), 0),
    "consumed": (lambda conn, key, at: ledger.consume(conn, key, at), 0),
    "one approval suspended": (lambda c, _, at: ledger.suspend_approval(c, _approval_of(c, "RRT"), at), 1),
    "one approval ended": (lambda c, _, at: ledger.end_approval(c, _approval_of(c, "FAMR"), at), 1),
    "grantor dead": (lambda conn, _, at: deaths.record(conn, CHILD, date(2026, 5, 30), "MOIS-1", at), 0),
    "another block": (lambda conn, _, at: blocks.block(conn, OTHER, CHILD, "Act 1", at), 2),
}


@pytest.mark.parametrize("what", CLOSING)
def test_what_closes_for_the_gate_closes_for_the_verifier(ledger_conn: psycopg.Connection, what: str) -> None:
    step, left = CLOSING[what]
    approved(ledger_conn)
    (key,) = ledger.grant(ledger_conn, [grant(scope("RRT", CHILD), scope("FAMR", CHILD))], AT)
    assert len(agree(ledger_conn, AT + DAY)) == 2
    step(ledger_conn, key, AT + 2 * DAY)
    assert len(agree(ledger_conn, AT + 3 * DAY)) == left


def test_at_each_end_of_an_interval_they_say_the_same(ledger_conn: psycopg.Connection) -> None:
    approved(ledger_conn)
    ledger.grant(ledger_conn, [grant()], AT)
    told = [len(agree(ledger_conn, at)) for at in (AT - DAY / 2, AT, AT + 29.9 * DAY, AT + 30 * DAY, AT + 400 * DAY)]
    assert told == [0, 1, 1, 0, 0]


def test_what_stands_changes_at_turns_alone(ledger_conn: psycopg.Connection) -> None:
    approved(ledger_conn)
    kind, ends = Capacity.GUARDIAN_OF_WARD, AT + 3 * DAY
    representations.record(ledger_conn, CHILD, PARENT_OF_CHILD, kind, "GRDN-1", AT - DAY, valid_until=ends)
    guard = grant(scope("FAMR", CHILD), grantor_key=PARENT_OF_CHILD, grantor_capacity=kind)
    ledger.grant(ledger_conn, [grant(), guard], AT)
    lives, _ = folded(ledger.events(ledger_conn, 0).to_pylist())
    changes = turns(lives)
    assert {AT, ends, AT + 30 * DAY} <= set(changes)
    of_place: dict[int, object] = {}
    instant = timedelta(microseconds=1)
    for at in sorted({near for turn in changes for near in (turn - instant, turn, turn + instant)}):
        there = standing_of(lives, at).scopes
        assert of_place.setdefault(bisect_right(changes, at), there) == there


def test_resumed_and_renewed_it_stands_again(ledger_conn: psycopg.Connection) -> None:
    approved(ledger_conn)
    (key,) = ledger.grant(ledger_conn, [standing()], AT)
    ledger.pause(ledger_conn, key, AT + DAY)
    assert not agree(ledger_conn, AT + 2 * DAY)
    ledger.resume(ledger_conn, key, AT + 2 * DAY, proof(key))
    assert agree(ledger_conn, AT + 3 * DAY)
    ledger.renew(ledger_conn, key, AT + 60 * DAY, AT + 4 * DAY, evidence=proof(key))
    assert agree(ledger_conn, AT + 50 * DAY)


def test_a_guardian_s_consent_stands_as_long_as_the_representation(ledger_conn: psycopg.Connection) -> None:
    approved(ledger_conn)
    guard = grant(scope("RRT", CHILD), grantor_key=PARENT_OF_CHILD, grantor_capacity=Capacity.GUARDIAN_OF_WARD)
    ledger.grant(ledger_conn, [guard], AT)
    assert not agree(ledger_conn, AT + DAY)
    kind = Capacity.GUARDIAN_OF_WARD
    recorded = representations.record(ledger_conn, CHILD, PARENT_OF_CHILD, kind, "GRDN-1", AT + DAY)
    assert agree(ledger_conn, AT + 2 * DAY)
    representations.end(ledger_conn, recorded, AT + 3 * DAY)
    assert not agree(ledger_conn, AT + 4 * DAY)


def test_an_heir_s_consent_stands_once_the_death_is_recorded_and_until_it_is_corrected(
    ledger_conn: psycopg.Connection,
) -> None:
    approved(ledger_conn)
    dead = deaths.record(ledger_conn, CHILD, date(2026, 5, 30), "MOIS-1", AT)
    representations.record(ledger_conn, CHILD, OTHER, Capacity.HEIR, "FAMR-1", AT)
    heir = grant(scope("RRT", CHILD), grantor_key=OTHER, grantor_capacity=Capacity.HEIR)
    ledger.grant(ledger_conn, [heir], AT)
    assert agree(ledger_conn, AT + DAY)
    deaths.correct(ledger_conn, dead, AT + 2 * DAY)
    assert not agree(ledger_conn, AT + 3 * DAY)


def test_a_block_against_the_grantor_closes_the_victim_s_document_until_it_is_lifted(
    ledger_conn: psycopg.Connection,
) -> None:
    approved(ledger_conn)
    kind = Capacity.GUARDIAN_OF_WARD
    representations.record(ledger_conn, CHILD, PARENT_OF_CHILD, kind, "GRDN-1", AT)
    ledger.grant(ledger_conn, [grant(scope("RRT", CHILD), grantor_key=PARENT_OF_CHILD, grantor_capacity=kind)], AT)
    assert agree(ledger_conn, AT + DAY)
    block = blocks.block(ledger_conn, CHILD, PARENT_OF_CHILD, "Resident Registration Act 29", AT + DAY)
    assert not agree(ledger_conn, AT + 2 * DAY)
    blocks.lift(ledger_conn, block, AT + 3 * DAY)
    assert agree(ledger_conn, AT + 4 * DAY)
