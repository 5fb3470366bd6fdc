"""The events of one authorisation, approval or application, and the one way to empty a payload.

In: an id, or positions. Out: `LedgerEvent`s in ledger order; whether each still matches its leaf hash is said too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from consent.append import Entry, canonical, leaf_hash


@dataclass(frozen=True)
class LedgerEvent:
    """One event as it stands in the ledger. `payload` and `salt` are None once erased; the leaf hash stays."""

    position: int
    instant: datetime
    authorisation_id: str | None
    kind: str
    subject: str
    salt: bytes | None
    leaf_hash: bytes
    payload: dict[str, Any] | None

    @property
    def is_erased(self) -> bool:
        return self.payload is None

    @property
    def is_intact(self) -> bool:
        """Whether the event is what its leaf hash commits to. An erased one can no longer be asked, and is not."""
        if self.payload is None or self.salt is None:
            return False
        entry = Entry(self.kind, self.subject, self.authorisation_id, canonical(self.payload))
        return leaf_hash(self.salt, self.position, self.instant, entry) == self.leaf_hash


def history(conn: psycopg.Connection, authorisation_id: str) -> list[LedgerEvent]:
    """Everything that happened to an authorisation, in order."""
    return _events(conn, "authorisation_id", authorisation_id)


def history_of_subject(conn: psycopg.Connection, subject: str) -> list[LedgerEvent]:
    """Everything that happened to an approval or application, by its id."""
    return _events(conn, "subject", subject)


def erase_payloads(conn: psycopg.Connection, positions: Sequence[int]) -> int:
    """Empty payload and salt of these events, for the erase path alone; returns how many were emptied now."""
    with conn.transaction():
        row = conn.execute("select ledger_erase_payloads(%s::bigint[])", [list(positions)]).fetchone()
    return int(row[0]) if row else 0


def _events(conn: psycopg.Connection, column: str, value: str) -> list[LedgerEvent]:
    with conn.transaction():
        rows = conn.execute(
            "select position, instant, authorisation_id, kind, subject, salt, leaf_hash, payload"
            f" from events where {column} = %s order by position",
            [value],
        ).fetchall()
    return [LedgerEvent(*row) for row in rows]
