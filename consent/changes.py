"""One event of one authorisation: the state machine of `consent.model.TRANSITIONS`, held in one transaction.

In: an authorisation's id, the event, and when. Out: the event in the ledger and the changed state, or a sentence that
says why not. The ledger's head is locked before the state is read, so that states follow ledger order (F7, F40).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from consent import append as log
from consent.errors import ForbiddenTransition
from consent.model import IDEMPOTENT, TRANSITIONS, Event, Mode, Reason, State
from hanbeon.errors import GateRefused, UsageError


def change(
    conn: psycopg.Connection,
    authorisation_id: str,
    event: Event,
    at: datetime,
    valid_until: datetime | None = None,
    retain_until: datetime | None = None,
) -> None:
    with conn.transaction():
        newest = log.lock(conn)
        found = conn.execute(
            "select state, mode, valid_until, retain_until, frequency_cap, used_count from authorisations"
            " where authorisation_id = %s limit 1",
            [authorisation_id],
        ).fetchone()
        if found is None:
            raise UsageError("There is no authorisation with this id in the ledger. `hanbeon consent list` shows them.")
        state, mode = State(found[0]), Mode(found[1])
        if (state, event) in IDEMPOTENT:
            return
        if event is Event.CONSUMED and mode is Mode.STANDING:
            event = Event.USED
        if (state, event) not in TRANSITIONS:
            raise ForbiddenTransition(f"This authorisation is {state}, so it cannot be {event}.")
        if event is Event.USED:
            _need_uses_left(found[4], found[5])
        payload: dict[str, Any] = {}
        if event is Event.RENEWED:
            assert valid_until is not None
            payload = _renewal(mode, found[2], valid_until, max(retain_until or found[3], valid_until), at)
        positions = log.append(conn, newest, [log.entry(event, authorisation_id, payload, authorisation_id)], at)
        set_state(conn, [authorisation_id], positions, TRANSITIONS[(state, event)], at)
        if payload:
            conn.execute(
                "update authorisations set valid_until = %s, retain_until = %s where authorisation_id = %s",
                [payload["valid_until"], payload["retain_until"], authorisation_id],
            )
        if event in (Event.USED, Event.CONSUMED):
            conn.execute(
                "update authorisations set used_count = used_count + 1 where authorisation_id = %s", [authorisation_id]
            )


def _need_uses_left(cap: int | None, used: int) -> None:
    if cap is not None and used >= cap:
        raise GateRefused("This authorisation has been used as often as it allows.", Reason.FREQUENCY_EXCEEDED)


def _renewal(
    mode: Mode, until: datetime, valid_until: datetime, retain_until: datetime, at: datetime
) -> dict[str, str]:
    if mode is not Mode.STANDING:
        raise ForbiddenTransition("Only a standing authorisation is renewed. Grant a one-time one anew.")
    if at >= until:
        raise ForbiddenTransition("This authorisation's END date has passed. Grant it anew.")
    if valid_until <= until:
        raise UsageError("A renewal moves the END date later. To end earlier, withdraw.")
    return {"valid_until": log.instant_text(valid_until), "retain_until": log.instant_text(retain_until)}


def set_state(conn: psycopg.Connection, ids: Sequence[str], positions: range, state: State, at: datetime) -> None:
    conn.execute(
        "update authorisations as a set state = %s, state_at = %s, ledger_position = moved.position"
        " from unnest(%s::text[], %s::bigint[]) as moved (authorisation_id, position)"
        " where a.authorisation_id = moved.authorisation_id",
        [str(state), at, list(ids), list(positions)],
    )
