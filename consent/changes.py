"""One event of one authorisation: the state machine of `consent.model.TRANSITIONS`, held in one transaction.

In: an authorisation's id, the event, when, and the citizen's evidence. Out: the event in the ledger and the changed
state, or a sentence that says why not. The ledger's head is locked before the state is read, so that states follow
ledger order (F7, F40). What opens (resume, renew) needs evidence as a grant does; what closes (pause, withdraw) takes
it, and without it says that the operator did it, since closing must not be harder than opening (PIPA Decree 42-5).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from consent import append as log
from consent import sealing
from consent.errors import ForbiddenTransition
from consent.model import IDEMPOTENT, TRANSITIONS, Event, Kind, Mode, Reason, Sealed, State
from hanbeon.errors import GateRefused, UsageError

USES = (Event.USED, Event.CONSUMED)
OPENING = (Event.RESUMED, Event.RENEWED)
CLOSING = (Event.PAUSED, Event.WITHDRAWN)


def change(
    conn: psycopg.Connection,
    authorisation_id: str,
    event: Event,
    at: datetime,
    valid_until: datetime | None = None,
    retain_until: datetime | None = None,
    evidence: Sealed | None = None,
) -> None:
    """Append the event and change the state. The two instants are a renewal's new ends.

    Raises GateRefused when what opens a consent or demand comes without evidence.
    """
    with conn.transaction():
        newest = log.lock(conn)
        found = conn.execute(
            "select state, mode, valid_until, retain_until, frequency_cap, used_count, kind from authorisations"
            " where authorisation_id = %s limit 1",
            [authorisation_id],
        ).fetchone()
        if found is None:
            raise UsageError("There is no authorisation with this id in the ledger. `hanbeon consent list` shows them.")
        state, mode, until, retained, cap, used, kind = State(found[0]), Mode(found[1]), *found[2:]
        if (state, event) in IDEMPOTENT:
            return
        if event is Event.CONSUMED and mode is Mode.STANDING:
            event = Event.USED
        if (state, event) not in TRANSITIONS:
            raise ForbiddenTransition(f"This authorisation is {state}, so it cannot be {event}.")
        if event is Event.USED and cap is not None and used >= cap:
            raise GateRefused("This authorisation has been used as often as it allows.", Reason.FREQUENCY_EXCEEDED)
        ends: dict[str, Any] = {}
        if event is Event.RENEWED and valid_until is not None:
            ends = _renewal(mode, until, valid_until, max(retain_until or retained, valid_until), at)
        payload = ends | _said_by(Kind(kind), event, evidence)
        positions = log.append(conn, newest, [log.entry(event, authorisation_id, payload, authorisation_id)], at)
        set_state(conn, [authorisation_id], positions, TRANSITIONS[(state, event)], at, is_use=event in USES)
        if ends:
            conn.execute(
                "update authorisations set valid_until = %s, retain_until = %s where authorisation_id = %s",
                [ends["valid_until"], ends["retain_until"], authorisation_id],
            )


def _said_by(kind: Kind, event: Event, evidence: Sealed | None) -> dict[str, str | None]:
    """Who did it, with the evidence where the citizen did. Uses and ends happen by themselves."""
    if event not in (*OPENING, *CLOSING):
        return {}
    if evidence is not None:
        return {"by": "citizen", **sealing.payload(evidence)}
    if event in OPENING and kind is not Kind.STATUTE:
        raise GateRefused(
            f"A {kind} is not {event} without evidence. Let the citizen authenticate over the notice.",
            Reason.NO_EVIDENCE,
        )
    return {"by": "operator"}


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


def set_state(
    conn: psycopg.Connection,
    ids: Sequence[str],
    positions: range,
    state: State,
    at: datetime,
    is_use: bool = False,
) -> None:
    """Bring every row of these authorisations to the state that the events at these positions led to."""
    conn.execute(
        "update authorisations as a set state = %s, state_at = %s, ledger_position = moved.position,"
        " used_count = used_count + %s"
        " from unnest(%s::text[], %s::bigint[]) as moved (authorisation_id, position)"
        " where a.authorisation_id = moved.authorisation_id",
        [str(state), at, int(is_use), list(ids), list(positions)],
    )
