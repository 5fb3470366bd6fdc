"""The ledger: every authorisation event in order, and the state that they add up to.

In: a connection to the ledger's database, what happened, and when. Out: ids, positions, Arrow tables. Each public write
is one transaction: the event and the changed state are committed together or not at all. Approvals and the reading side
live in modules of their own and are offered from here too.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from consent import append as log
from consent import sealing
from consent.applications import Decided, decided_applications
from consent.approvals import approvals, approve, end_approval, resume_approval, suspend_approval
from consent.capacity import need_capable
from consent.changes import Renewal, change, set_state
from consent.errors import ForbiddenTransition
from consent.history import LedgerEvent, erase_payloads, history
from consent.ids import new_id
from consent.model import Event, Grant, Kind, Reason, Scope, Sealed, State, need_instant
from consent.shareable import need_shareable
from consent.snapshot import (
    APPLICATIONS_SCHEMA,
    APPROVALS_SCHEMA,
    AUTHORISATIONS_SCHEMA,
    EVENTS_SCHEMA,
    PAPERS_SCHEMA,
    Snapshot,
    events,
    read,
    snapshot,
)
from hanbeon.errors import GateRefused, UsageError

__all__ = [
    "APPLICATIONS_SCHEMA",
    "APPROVALS_SCHEMA",
    "AUTHORISATIONS_SCHEMA",
    "EVENTS_SCHEMA",
    "PAPERS_SCHEMA",
    "Decided",
    "LedgerEvent",
    "Snapshot",
    "approvals",
    "approve",
    "authorisations",
    "authorisations_of",
    "consume",
    "decided_applications",
    "end_approval",
    "erase_payloads",
    "events",
    "expire_due",
    "grant",
    "history",
    "known",
    "pause",
    "position",
    "renew",
    "resume",
    "resume_approval",
    "snapshot",
    "suspend_approval",
    "withdraw",
]

EXPIRE_AT_ONCE = 5_000  # a withdrawal that waits for the head must not wait long
COLUMNS = (
    "authorisation_id, kind, grantor_key, subject_key, application_id, document_type, variant, columns, holder, "
    "recipient, service, purpose, legal_basis, approval_id, mode, valid_from, valid_until, retain_until, cycle, "
    "frequency_cap, notice_version, notice_hash, proof_digest, grantor_capacity, identifier_statute, state, state_at, "
    "ledger_position"
)
NAMES = COLUMNS.split(", ")


def position(conn: psycopg.Connection) -> int:
    """The newest ledger position; 0 before the first event."""
    with conn.transaction():
        row = conn.execute("select position from ledger_head").fetchone()
    return int(row[0]) if row else 0


def grant(conn: psycopg.Connection, grants: Sequence[Grant], at: datetime) -> list[str]:
    """Record authorisations; returns their ids in order. Raises UsageError when an id is already taken.

    Raises GateRefused for a consent or a demand without evidence: `consent.evidence.attach` checks and seals it.
    """
    named = [g.authorisation_id or new_id("auth") for g in grants]
    if len(set(named)) < len(named):
        raise UsageError("Two authorisations have one id. Give each its own.")
    granted = grant_missing(conn, dict(zip(named, grants, strict=True)), at, is_new=True)
    return [authorisation_id for authorisation_id in named if authorisation_id in granted]


def grant_missing(
    conn: psycopg.Connection, grants: Mapping[str, Grant], at: datetime, is_new: bool = False
) -> frozenset[str]:
    """Record those whose id the ledger does not know yet, in one transaction; returns the ids recorded.

    Raises GateRefused for a document that no law lets flow (P1).
    """
    need_shareable(s.document_type for g in grants.values() for s in g.scopes)
    entries = {key: log.entry(Event.GRANTED, key, _payload(key, g), key) for key, g in grants.items()}
    with conn.transaction():
        newest = log.lock(conn)
        there = known(conn, grants)
        if there and is_new:
            raise ForbiddenTransition("An authorisation with this id is in the ledger. Granting anew takes a new id.")
        if is_new:
            need_capable(conn, grants.values(), at)
        missing = [key for key in grants if key not in there]
        _need_open(conn, {g.application_id for key in missing if (g := grants[key]).application_id})
        positions = log.append(conn, newest, [entries[key] for key in missing], at)
        with conn.cursor() as cursor, cursor.copy(f"copy authorisations ({COLUMNS}) from stdin") as copy:
            for at_position, key in zip(positions, missing, strict=True):
                for scope in grants[key].scopes:
                    copy.write_row(_row(key, grants[key], scope, at, at_position))
    return frozenset(missing)


def known(conn: psycopg.Connection, authorisation_ids: Iterable[str]) -> frozenset[str]:
    """Those of the ids that the ledger has."""
    query = "select distinct authorisation_id from authorisations where authorisation_id = any(%s)"
    with conn.transaction():
        return frozenset(row[0] for row in conn.execute(query, [list(authorisation_ids)]))


def withdraw(conn: psycopg.Connection, authorisation_id: str, at: datetime, evidence: Sealed | None = None) -> None:
    """From this event on nothing flows under it. Withdrawing again changes nothing (F40)."""
    change(conn, authorisation_id, Event.WITHDRAWN, at, evidence=evidence)


def pause(conn: psycopg.Connection, authorisation_id: str, at: datetime, evidence: Sealed | None = None) -> None:
    change(conn, authorisation_id, Event.PAUSED, at, evidence=evidence)


def resume(conn: psycopg.Connection, authorisation_id: str, at: datetime, evidence: Sealed | None = None) -> None:
    change(conn, authorisation_id, Event.RESUMED, at, evidence=evidence)


def consume(conn: psycopg.Connection, authorisation_id: str, at: datetime) -> None:
    """One use: the only one of a one-time authorisation, one more of a standing one (GateRefused past its cap)."""
    change(conn, authorisation_id, Event.CONSUMED, at)


def renew(
    conn: psycopg.Connection,
    authorisation_id: str,
    valid_until: datetime | None,
    at: datetime,
    retain_until: datetime | None = None,
    evidence: Sealed | None = None,
    *,
    grantor_key: int | None = None,
    notice_version: str | None = None,
    notice_hash: str | None = None,
) -> None:
    """Move the END date of a standing authorisation that has not ended. What has ended is granted anew.

    `grantor_key` is who renews. The subject, come of age, may take over from a guardian: what she renews, standing or
    not, is her own from then on (F42), and the END date may stay.
    """
    if valid_until is not None:
        need_instant(valid_until, "valid_until")
    change(
        conn,
        authorisation_id,
        Event.RENEWED,
        at,
        Renewal(valid_until, retain_until, grantor_key, notice_version, notice_hash),
        evidence,
    )


def expire_due(conn: psycopg.Connection, at: datetime) -> int:
    """Append `expired` for every authorisation whose END date has come; returns how many."""
    total = 0
    while True:
        with conn.transaction():
            newest = log.lock(conn)
            due = [
                row[0]
                for row in conn.execute(
                    "select distinct authorisation_id from authorisations"
                    " where state in ('granted', 'paused') and valid_until <= %s order by 1 limit %s",
                    [at, EXPIRE_AT_ONCE],
                )
            ]
            entries = [log.entry(Event.EXPIRED, key, {}, key) for key in due]
            positions = log.append(conn, newest, entries, at)
            set_state(conn, due, positions, State.EXPIRED, at)
        total += len(due)
        if len(due) < EXPIRE_AT_ONCE:
            return total


def authorisations_of(conn: psycopg.Connection, subject_key: int) -> pa.Table:
    """Every authorisation row about one subject, in any state."""
    return authorisations(conn, subject_key=subject_key)


def authorisations(
    conn: psycopg.Connection,
    *,
    authorisation_id: str | None = None,
    subject_key: int | None = None,
    grantor_key: int | None = None,
    application_id: str | None = None,
    document_type: str | None = None,
    recipient: str | None = None,
    service: str | None = None,
    state: State | None = None,
) -> pa.Table:
    """Authorisation rows narrowed by whatever is given, with the columns of `ledger/authorisations`."""
    given = {name: value for name, value in locals().items() if name != "conn" and value is not None}
    conditions = [sql.SQL("{} = {}").format(sql.Identifier(n), sql.Literal(_plain(v))) for n, v in given.items()]
    return read(conn, "authorisations", sql.SQL(" and ").join([sql.SQL("true"), *conditions]))


def _plain(value: object) -> object:
    return str(value) if isinstance(value, str) else value


def _payload(authorisation_id: str, given: Grant) -> dict[str, Any]:
    """What the ledger keeps of a grant: pseudonymous gate fields and digests. 64-bit keys are texts (RFC 8785)."""
    apart = ("scopes", "grantor_key", "authorisation_id", "grounds", "evidence")
    plain = {n: v for n, v in vars(given).items() if n not in apart}
    texts = {n: log.instant_text(v) if isinstance(v, datetime) else _plain(v) for n, v in plain.items()}
    grantor = None if given.grantor_key is None else str(given.grantor_key)
    scopes = [{**vars(s), "subject_key": str(s.subject_key), "columns": list(s.columns)} for s in given.scopes]
    texts |= {"authorisation_id": authorisation_id, "grantor_key": grantor, **sealing.payload(_evidence(given))}
    return {**texts, "grounds": list(given.grounds), "scopes": scopes}


def _evidence(given: Grant) -> Sealed:
    """What proves it: a statutory ground needs only its article, whoever else is named needs to have signed."""
    if given.evidence is not None:
        return given.evidence
    if given.kind is not Kind.STATUTE:
        raise GateRefused(
            f"A {given.kind} without evidence is not recorded. Let the citizen authenticate over the notice.",
            Reason.NO_EVIDENCE,
        )
    return Sealed(sealing.digest(sealing.statute(given.legal_basis)))


def _row(key: str, g: Grant, scope: Scope, at: datetime, at_position: int) -> tuple[Any, ...]:
    given: dict[str, Any] = {**vars(g), **vars(scope), "columns": _array(scope.columns)}
    given.update(authorisation_id=key, state=State.GRANTED, state_at=at, ledger_position=at_position)
    given.update(proof_digest=_evidence(g).digest)
    return tuple(given[name] for name in NAMES)


@lru_cache
def _array(columns: tuple[str, ...]) -> str:
    """A PostgreSQL array literal."""
    quoted = (c.replace("\\", "\\\\").replace('"', '\\"') for c in columns)
    return "{" + ",".join(f'"{c}"' for c in quoted) + "}"


def _need_open(conn: psycopg.Connection, application_ids: Iterable[str | None]) -> None:
    found = conn.execute(
        "select 1 from applications where application_id = any(%s) and state <> 'open' limit 1", [list(application_ids)]
    )
    if found.fetchone():
        raise ForbiddenTransition(
            "The application is decided, so nothing more can be authorised for it. Open a new one."
        )
