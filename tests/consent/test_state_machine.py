"""The life of an authorisation is data, and the ledger lives by it (F40, F41)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import psycopg
import pytest

from consent import ledger
from consent.errors import ForbiddenTransition
from consent.model import APPROVAL_TRANSITIONS, IDEMPOTENT, TRANSITIONS, ApprovalState, Event, State
from tests.consent.making import AT, DAY, approval, grant, proof, standing

# Rows: the state before. Columns: the event. Cells: the state after, `same` for no event at all, `-` for refused.
TABLE = """
            paused     resumed    renewed    withdrawn  expired    consumed   used
granted     paused     -          granted    withdrawn  expired    consumed   granted
paused      -          granted    paused     withdrawn  expired    consumed   -
withdrawn   -          -          -          same       -          -          -
expired     -          -          -          withdrawn  same       -          -
consumed    -          -          -          withdrawn  -          same       -
"""


def cells() -> dict[tuple[State, Event], str]:
    head, *rows = [line.split() for line in TABLE.strip().splitlines()]
    return {(State(s), Event(e)): cell for s, *found in rows for e, cell in zip(head, found, strict=True)}


def test_every_state_and_event_is_covered() -> None:
    assert set(cells()) == {(s, e) for s in State for e in Event if e is not Event.GRANTED}
    for pair, cell in cells().items():
        assert (TRANSITIONS.get(pair) or ("same" if pair in IDEMPOTENT else "-")) == cell
    assert TRANSITIONS[(None, Event.GRANTED)] is State.GRANTED
    assert all(event is not Event.GRANTED for state, event in TRANSITIONS if state is not None)


def test_every_state_can_be_reached_and_every_approval_state_too() -> None:
    assert set(TRANSITIONS.values()) == set(State)
    assert set(APPROVAL_TRANSITIONS.values()) == set(ApprovalState)


def bring_to(conn: psycopg.Connection, state: State, is_standing: bool) -> str:
    given = standing() if is_standing else grant()
    (key,) = ledger.grant(conn, [given], AT)
    if state is State.PAUSED:
        ledger.pause(conn, key, AT)
    elif state is State.WITHDRAWN:
        ledger.withdraw(conn, key, AT)
    elif state is State.EXPIRED:
        ledger.expire_due(conn, given.valid_until)
    elif state is State.CONSUMED:
        ledger.consume(conn, key, AT)
    return key


def happen(conn: psycopg.Connection, event: Event, key: str) -> None:
    if event is Event.RENEWED:
        ledger.renew(conn, key, AT + 300 * DAY, AT, evidence=proof())
    elif event is Event.EXPIRED:
        ledger.expire_due(conn, AT + timedelta(days=1000))
    else:
        acts: dict[Event, Callable[[psycopg.Connection, str, datetime], None]] = {
            Event.PAUSED: ledger.pause,
            Event.RESUMED: partial(ledger.resume, evidence=proof()),
            Event.WITHDRAWN: ledger.withdraw,
            Event.CONSUMED: ledger.consume,
            Event.USED: ledger.consume,
        }
        acts[event](conn, key, AT)


def state_of(conn: psycopg.Connection, key: str) -> str:
    (state,) = set(ledger.authorisations(conn, authorisation_id=key).column("state").to_pylist())
    return str(state)


@pytest.mark.parametrize("state", State)
def test_the_ledger_does_what_the_table_says(ledger_conn: psycopg.Connection, state: State) -> None:
    for event in Event:
        if event is Event.GRANTED:
            continue
        is_standing = event in (Event.RENEWED, Event.USED)
        if is_standing and state is State.CONSUMED:
            continue  # a standing authorisation is never consumed
        key = bring_to(ledger_conn, state, is_standing)
        before = ledger.position(ledger_conn)
        cell = cells()[(state, event)]
        if cell == "-" and event is not Event.EXPIRED:  # expiry looks for what is due and finds nothing here
            with pytest.raises(ForbiddenTransition, match=state.value):
                happen(ledger_conn, event, key)
        else:
            happen(ledger_conn, event, key)
        after = cell if cell in set(State) else state.value
        assert state_of(ledger_conn, key) == after, (state, event)
        appended = [e.kind for e in ledger.history(ledger_conn, key) if e.position > before]
        assert appended == ([event] if cell in set(State) else []), (state, event)


def test_an_approval_is_suspended_resumed_and_ended(ledger_conn: psycopg.Connection) -> None:
    key = ledger.approve(ledger_conn, approval(), AT)
    steps = [
        (ledger.suspend_approval, "suspended"),
        (ledger.suspend_approval, "suspended"),
        (ledger.resume_approval, "active"),
        (ledger.end_approval, "ended"),
        (ledger.end_approval, "ended"),
    ]
    for act, state in steps:
        act(ledger_conn, key, AT)
        assert ledger.approvals(ledger_conn).column("state").to_pylist() == [state]
    for act in (ledger.suspend_approval, ledger.resume_approval):
        with pytest.raises(ForbiddenTransition, match="ended"):
            act(ledger_conn, key, AT)
    assert ledger.position(ledger_conn) == 4
