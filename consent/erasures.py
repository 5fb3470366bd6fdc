"""Erasures that were begun, so that a kill between purge and certificate loses nothing (F1, P4).

In: a connection, what an erasure is about to take away for good, and the ids that must be nowhere afterwards. Out: its
number; what is unfinished; and, once it is finished, its certificate's number. The ids rest encrypted under the
vault's key while they are needed, and are gone afterwards.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime

import psycopg

from consent.ciphers import seal, unseal
from consent.key_versions import standing
from consent.secrets import Secrets

COLUMN = "erasures.sealed"
LOCK = 0x68616E65  # one erasure at a time
TABLES = """
create table if not exists erasures (
    number bigint generated always as identity primary key,
    run_id text not null,
    opened_at timestamptz not null,
    ledger_position bigint not null,
    losses json not null,
    sealed bytea,  -- the ids that must be nowhere; none once it is finished
    key_version integer not null,
    finished_at timestamptz,
    certificate bigint references log_bodies,
    check ((sealed is null) = (finished_at is not null))
);
alter table erasures add column if not exists found_at timestamptz;  -- a file outside of the lake still held something
alter table erasures add column if not exists went bigint[];  -- how much went so far, over every attempt
alter table erasures add column if not exists cleared_at timestamptz;  -- the database's dead rows went, then or later
create index if not exists erasures_unfinished on erasures (number) where finished_at is null;
"""


@dataclass(frozen=True)
class Loss:
    """Of one table: its version without the rows, how many rows went, how many stay and say less."""

    table: str
    version: int
    removed: int
    narrowed: int


@dataclass(frozen=True)
class Values:
    """What must be nowhere in the whole home: values by class. `shared` counts what others lawfully hold too."""

    by_class: tuple[tuple[str, tuple[str, ...]], ...]
    shared: int
    short: int


@dataclass(frozen=True)
class Erasure:
    """One that was begun and has no certificate yet. With `values` it is `erase --now`."""

    number: int
    run_id: str
    opened_at: datetime
    ledger_position: int
    losses: tuple[Loss, ...]
    needles: tuple[str, ...]
    values: Values | None = None


@contextmanager
def alone(conn: psycopg.Connection) -> Iterator[None]:
    """One erasure at a time; a killed one lets go with its connection."""
    conn.execute("select pg_advisory_lock(%s)", [LOCK])
    try:
        yield
    finally:
        conn.execute("select pg_advisory_unlock(%s)", [LOCK])


def begin(
    conn: psycopg.Connection,
    secrets: Secrets,
    run_id: str,
    position: int,
    losses: Sequence[Loss],
    needles: Sequence[str],
    at: datetime,
    values: Values | None = None,
) -> Erasure:
    """Remember durably what is about to go, before anything goes."""
    with conn.transaction():
        version = standing(conn, secrets).vault
        row = conn.execute("select nextval(pg_get_serial_sequence('erasures', 'number'))").fetchone()
        assert row is not None
        conn.execute(
            "insert into erasures (number, run_id, opened_at, ledger_position, losses, sealed, key_version)"
            " overriding system value values (%s, %s, %s, %s, %s, %s, %s)",
            [
                row[0],
                run_id,
                at,
                position,
                json.dumps([asdict(one) for one in losses]),
                _seal(secrets, version, row[0], needles, values),
                version,
            ],
        )
    return Erasure(row[0], run_id, at, position, tuple(losses), tuple(needles), values)


def unfinished(conn: psycopg.Connection, secrets: Secrets, is_now: bool = False) -> list[Erasure]:
    """Those whose writer died, oldest first; with `is_now` also those that wait for somebody to remove a file."""
    with conn.transaction():
        standing(conn, secrets)
        rows = conn.execute(
            "select number, run_id, opened_at, ledger_position, losses, key_version, sealed from erasures"
            " where finished_at is null and (found_at is null or %s) order by number",
            [is_now],
        ).fetchall()
        opened = [_open(secrets, version, number, sealed) for number, *_, version, sealed in rows]
    return [
        Erasure(number, run_id, at, position, tuple(Loss(**one) for one in losses), *clear)
        for (number, run_id, at, position, losses, _, _), clear in zip(rows, opened, strict=True)
    ]


def finish(conn: psycopg.Connection, number: int, certificate: int | None, at: datetime) -> None:
    """It is done: the ids are forgotten, and its certificate is named."""
    with conn.transaction():
        conn.execute(
            "update erasures set finished_at = %s, certificate = %s, sealed = null where number = %s",
            [at, certificate, number],
        )


def add_up(conn: psycopg.Connection, number: int, went: Sequence[int]) -> list[int]:
    """What this attempt took away, added to what earlier ones did: an attempt that died or found something counts."""
    with conn.transaction():
        row = conn.execute("select went from erasures where number = %s for update", [number]).fetchone()
        before = (row and row[0]) or [0] * len(went)
        total = [old + new for old, new in zip(before, went, strict=True)]
        conn.execute("update erasures set went = %s where number = %s", [total, number])
    return total


def clear_up_to(conn: psycopg.Connection, number: int, at: datetime) -> None:
    """Dead rows that this erasure and those before it left in the database are gone."""
    with conn.transaction():
        conn.execute("update erasures set cleared_at = %s where number <= %s and cleared_at is null", [at, number])


def oldest_unended(conn: psycopg.Connection) -> datetime | None:
    """Since when an erasure is unfinished, or waits for the database's dead rows to be cleared; or None."""
    with conn.transaction():
        row = conn.execute(
            "select min(opened_at) from erasures"
            " where finished_at is null or (certificate is not null and cleared_at is null)"
        ).fetchone()
    return row[0] if row else None


def found(conn: psycopg.Connection, number: int, at: datetime) -> None:
    """A file outside of the lake still holds something: somebody has to remove it, then `erase --now` looks again."""
    with conn.transaction():
        conn.execute("update erasures set found_at = %s where number = %s", [at, number])


def certificate_of(conn: psycopg.Connection, number: int) -> int | None:
    """The number of the certificate that was already recorded for an erasure, or None (F1: never two)."""
    with conn.transaction():
        row = conn.execute(
            "select number from log_bodies where kind = 4 and (body::json ->> 'erasure')::bigint = %s", [number]
        ).fetchone()
    return None if row is None else int(row[0])


def row_id(number: int) -> bytes:
    return str(number).encode()


def _seal(secrets: Secrets, version: int, number: int, needles: Sequence[str], values: Values | None) -> bytes:
    clear = {"needles": list(needles), "values": None if values is None else asdict(values)}
    return seal(secrets, version, COLUMN, [(row_id(number), json.dumps(clear).encode())])[0]


def _open(secrets: Secrets, version: int, number: int, sealed: bytes) -> tuple[tuple[str, ...], Values | None]:
    clear = json.loads(unseal(secrets, COLUMN, [(version, row_id(number), sealed)])[0])
    given = clear["values"]
    if given is None:
        return tuple(clear["needles"]), None
    by_class = tuple((name, tuple(values)) for name, values in given["by_class"])
    return tuple(clear["needles"]), Values(by_class, given["shared"], given["short"])
