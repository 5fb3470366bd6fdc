"""Whom a review looks at more closely: readers who are persons themselves, and persons whom many are curious about.

In: a connection, and keyed hashes of subject keys. Out: rows that only a review can compare with. Neither table holds
a subject key: a reader's own key and those of well-known persons are hashed under a key of the vault, so that the
tables say nothing to whoever has the database alone.
"""

from collections.abc import Sequence

import psycopg
from psycopg.rows import tuple_row

from hanbeon.errors import UsageError

TABLES = """
create table if not exists readers (
    reader text primary key check (reader <> ''),
    own_hash bytea not null check (length(own_hash) = 32)
);
create table if not exists watched_persons (
    own_hash bytea primary key check (length(own_hash) = 32)
);
"""
LONGEST_NAME = 200


def link(conn: psycopg.Connection, reader: str, own_hash: bytes) -> None:
    """Say which person a reader is. Said again, the newer one stands."""
    if not reader.strip() or len(reader) > LONGEST_NAME or not reader.isprintable():
        raise UsageError(f"A reader's name is one line of at most {LONGEST_NAME} characters.")
    with conn.transaction():
        conn.execute(
            "insert into readers values (%s, %s) on conflict (reader) do update set own_hash = excluded.own_hash",
            [reader, own_hash],
        )


def watch(conn: psycopg.Connection, hashes: Sequence[bytes]) -> None:
    """Flag every read about these persons from the next review on."""
    with conn.transaction():
        conn.cursor().executemany(
            "insert into watched_persons values (%s) on conflict do nothing", [[one] for one in hashes]
        )


def own_hashes(conn: psycopg.Connection) -> dict[str, bytes]:
    """The hash of each reader who is known as a person."""
    with conn.transaction():
        rows = conn.cursor(row_factory=tuple_row).execute("select reader, own_hash from readers").fetchall()
    return {reader: bytes(own) for reader, own in rows}


def watched(conn: psycopg.Connection) -> frozenset[bytes]:
    """The hashes of the persons whom many are curious about."""
    with conn.transaction():
        rows = conn.cursor(row_factory=tuple_row).execute("select own_hash from watched_persons").fetchall()
    return frozenset(bytes(row[0]) for row in rows)
