"""How an event enters the ledger: next position, salted leaf hash, one row that is never edited.

In: entries (what happened, to what, with which payload) and the instant. Out: positions, gapless and in commit order,
because every writer holds the one row of `ledger_head` from before its first look until it commits.
A leaf hash is sha256(salt || RFC 8785 canonical JSON of the entry); `leaf_hash` says it for whoever checks.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from consent.model import need_instant
from hanbeon.errors import DependencyDown

SALT_BYTES = 32


@dataclass(frozen=True)
class Entry:
    """One event to be. `subject` is the id of what it happened to. Payloads hold 64-bit numbers as texts."""

    kind: str
    subject: str
    authorisation_id: str | None
    payload: bytes  # canonical JSON


def entry(kind: str, subject: str, payload: Mapping[str, Any], authorisation_id: str | None = None) -> Entry:
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
        b'"payload":' + entry.payload,
        b'"position":' + str(position).encode(),
        b'"subject":' + canonical(entry.subject) + b"}",
    )
    return hashlib.sha256(salt + b",".join(members)).digest()


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
