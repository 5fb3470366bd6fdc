"""One event of one authorisation: the state machine of `consent.model.TRANSITIONS`, held in one transaction.

In: an authorisation's id, the event, when, and the citizen's evidence. Out: the event in the ledger and the changed
state, or a sentence that says why not. The ledger's head is locked before the state is read, so that states follow
ledger order (F7, F40). What opens (resume, renew) needs evidence as a grant does; what closes (pause, withdraw) takes
it, and without it says that the operator did it, since closing must not be harder than opening (PIPA Decree 42-5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from consent import append as log
from consent import sealing
from consent.capacity import need_own
from consent.errors import ForbiddenTransition
from consent.model import IDEMPOTENT, TRANSITIONS, Capacity, Event, Kind, Mode, Reason, Sealed, State, Unasked
from hanbeon.errors import GateRefused, UsageError

USES = (Event.USED, Event.CONSUMED)
OPENING = (Event.RESUMED, Event.RENEWED)
CLOSING = (Event.PAUSED, Event.WITHDRAWN)


@dataclass(frozen=True)
class Renewal:
    """What a renewal changes. `grantor_key` is who renews: the grantor, or the subject who takes over from a guardian.

    `notice_version` and `notice_hash` are of the notice that was shown for it.
    """

    valid_until: datetime | None = None
    retain_until: datetime | None = None
    grantor_key: int | None = None
    notice_version: str | None = None
    notice_hash: str | None = None


def change(
    conn: psycopg.Connection,
    authorisation_id: str,
    event: Event,
    at: datetime,
    renewal: Renewal | None = None,
    evidence: Sealed | None = None,
) -> None:
    """Append the event and change the state.

    Raises GateRefused when what opens a consent or demand comes without evidence.
    """
    with conn.transaction():
        newest = log.lock(conn)
        found = conn.execute(
            "select state, mode, valid_until, retain_until, grantor_key, frequency_cap, used_count, kind"
            " from authorisations"
            " where authorisation_id = %s limit 1",
            [authorisation_id],
        ).fetchone()
        if found is None:
            raise UsageError("There is no authorisation with this id in the ledger. `hanbeon consent list` shows them.")
        state, mode, cap, used, kind = State(found[0]), Mode(found[1]), *found[5:]
        if (state, event) in IDEMPOTENT:
            return
        if event is Event.CONSUMED and mode is Mode.STANDING:
            event = Event.USED
        if (state, event) not in TRANSITIONS:
            raise ForbiddenTransition(f"This authorisation is {state}, so it cannot be {event}.")
        if event is Event.USED and cap is not None and used >= cap:
            raise GateRefused("This authorisation has been used as often as it allows.", Unasked.FREQUENCY_EXCEEDED)
        new = {} if renewal is None else _renewed(conn, authorisation_id, renewal, found, at)
        payload = _texts(new) | _said_by(Kind(kind), event, evidence)
        positions = log.append(conn, newest, [log.entry(event, authorisation_id, payload, authorisation_id)], at)
        set_state(conn, [authorisation_id], positions, TRANSITIONS[(state, event)], at, is_use=event in USES)
        if new:
            assigned = sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(n), sql.Literal(v)) for n, v in new.items()
            )
            conn.execute(
                sql.SQL("update authorisations set {} where authorisation_id = %s").format(assigned), [authorisation_id]
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


def _texts(new: dict[str, Any]) -> dict[str, Any]:
    """As payloads hold them: instants and 64-bit keys are texts."""
    return {
        n: log.instant_text(v) if isinstance(v, datetime) else str(v) if isinstance(v, int) else v
        for n, v in new.items()
    }


def _renewed(
    conn: psycopg.Connection, authorisation_id: str, renewal: Renewal, found: tuple[Any, ...], at: datetime
) -> dict[str, Any]:
    """The columns that a renewal changes."""
    mode, until, retained, grantor = Mode(found[1]), *found[2:5]
    takes_over = renewal.grantor_key not in (None, grantor)
    if at >= until:
        raise ForbiddenTransition("This authorisation's END date has passed. Grant it anew.")
    new: dict[str, Any] = {}
    if takes_over and renewal.grantor_key is not None:
        need_own(conn, authorisation_id, renewal.grantor_key, at)
        new |= {"grantor_key": renewal.grantor_key, "grantor_capacity": str(Capacity.SELF)}
    if renewal.valid_until is not None:
        if not (takes_over and renewal.valid_until == until):
            _need_renewable(mode, until, renewal.valid_until)
        retain = max(renewal.retain_until or retained, renewal.valid_until)
        new |= {"valid_until": renewal.valid_until, "retain_until": retain}
    elif not takes_over:
        raise UsageError("A renewal moves the END date later. Name the new END date with --until.")
    shown = {"notice_version": renewal.notice_version, "notice_hash": renewal.notice_hash}
    return new | {n: v for n, v in shown.items() if v is not None}


def _need_renewable(mode: Mode, until: datetime, valid_until: datetime) -> None:
    if mode is not Mode.STANDING:
        raise ForbiddenTransition("Only a standing authorisation is renewed. Grant a one-time one anew.")
    if valid_until <= until:
        raise UsageError("A renewal moves the END date later. To end earlier, withdraw.")


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
