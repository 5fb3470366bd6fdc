"""How an event enters the ledger: next position, salted leaf hash, one row that is never edited.

In: entries (what happened, to what, with which payload) and the instant. Out: positions, gapless and in commit order,
because every writer holds the one row of `ledger_head` from before its first look until it commits.
A leaf hash commits to the canonical JSON of the entry, and within it to each scope of an authorisation apart, so that
one scope can be shown without the others (docs/proof.md, section 2); `leaf_hash` says it for whoever checks.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from consent.model import EVENT_KINDS, need_instant
from hanbeon.errors import DependencyDown, UsageError

SALT_BYTES = 32
SCOPES = "scopes"
Scope = Mapping[str, Any]  # of a payload: subject_key, document_type, variant, columns, holder


@dataclass(frozen=True)
class Entry:
    """One event to be. `subject` is the id of what it happened to. Payloads hold 64-bit numbers as texts."""

    kind: str
    subject: str
    authorisation_id: str | None
    payload: bytes  # canonical JSON


def entry(kind: str, subject: str, payload: Mapping[str, Any], authorisation_id: str | None = None) -> Entry:
    if kind not in EVENT_KINDS:
        raise UsageError(
            f"The ledger holds no events of kind {kind}. Name it in consent.model, and what may follow it."
        )
    return Entry(kind, subject, authorisation_id, canonical(payload))


def canonical(value: Any) -> bytes:
    """RFC 8785 canonical JSON of what payloads hold: texts, whole numbers, lists, members with ASCII names.

    The standard library's encoder is ten times as fast as one for any value; a test compares the two.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def instant_text(instant: datetime) -> str:
    """As in payloads and leaves: `2026-06-01T00:30:00.000000Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def leaf_hash(salt: bytes, position: int, instant: datetime, entry: Entry) -> bytes:
    """The hash that commits to an event. The members stand in RFC 8785 order, so that joining them is canonical."""
    members = (
        b'{"authorisation_id":' + canonical(entry.authorisation_id),
        b'"instant":' + canonical(instant_text(instant)),
        b'"kind":' + canonical(entry.kind),
        b'"payload":' + _committed(salt, entry.payload),
        b'"position":' + str(position).encode(),
        b'"subject":' + canonical(entry.subject) + b"}",
    )
    return hashlib.sha256(event_salt(salt) + b",".join(members)).digest()


def event_salt(salt: bytes) -> bytes:
    """What is shown of an event's salt beside its members: no scope's salt follows from it."""
    return hashlib.sha256(salt + b"\x00").digest()


def scope_salt(salt: bytes, number: int) -> bytes:
    """The salt of one scope of the event, counted from 0."""
    return hashlib.sha256(salt + b"\x01" + number.to_bytes(4, "big")).digest()


def scope_commitment(salt: bytes, number: int, scope: Mapping[str, Any]) -> str:
    """What stands for a scope in the text that the event's hash is taken over, as hex."""
    return hashlib.sha256(scope_salt(salt, number) + canonical(scope)).hexdigest()


def everything(_: Scope) -> bool:
    return True


def shown_payload(salt: bytes, payload: Mapping[str, Any], is_shown: Callable[[Scope], bool]) -> dict[str, Any]:
    """The payload as a receipt or pack has it: each scope with its salt, or, where it is not shown, its commitment."""
    if not isinstance(payload.get(SCOPES), list):
        return dict(payload)
    scopes = [
        {"scope": scope, "salt": scope_salt(salt, number).hex()}
        if is_shown(scope)
        else {"commitment": scope_commitment(salt, number, scope)}
        for number, scope in enumerate(payload[SCOPES])
    ]
    return {**payload, SCOPES: scopes}


def _committed(salt: bytes, payload: bytes) -> bytes:
    """The payload with a commitment in each scope's place. Most events have no scopes, and are not parsed."""
    if b'"scopes":[' not in payload:
        return payload
    members = json.loads(payload)
    if not isinstance(members, dict) or not isinstance(members.get(SCOPES), list):
        return payload
    hidden = [scope_commitment(salt, number, scope) for number, scope in enumerate(members[SCOPES])]
    return canonical({**members, SCOPES: hidden})


def lock(conn: psycopg.Connection) -> int:
    """Hold the ledger's head until this transaction ends; returns the newest position.

    Every write takes this lock before it reads a state, so that states change in ledger order.
    """
    row = conn.execute("select position from ledger_head for update").fetchone()
    if row is None:
        raise DependencyDown("The ledger has no head row. Run consent.schema.migrate on its database.")
    return int(row[0])


def append(conn: psycopg.Connection, newest: int, entries: Sequence[Entry], at: datetime) -> range:
    """Write events after position `newest`, as `lock` gave it. Returns their positions in order."""
    need_instant(at, "The instant of an event")
    positions = range(newest + 1, newest + 1 + len(entries))
    salts = os.urandom(SALT_BYTES * len(entries))
    names = "position, instant, authorisation_id, kind, subject, salt, leaf_hash, payload"
    with conn.cursor() as cursor, cursor.copy(f"copy events ({names}) from stdin") as copy:
        for index, (position, given) in enumerate(zip(positions, entries, strict=True)):
            salt = salts[index * SALT_BYTES : (index + 1) * SALT_BYTES]
            leaf = leaf_hash(salt, position, at, given)
            copy.write_row(
                (position, at, given.authorisation_id, given.kind, given.subject, salt, leaf, given.payload.decode())
            )
    conn.execute("update ledger_head set position = %s", [positions.stop - 1])
    return positions
