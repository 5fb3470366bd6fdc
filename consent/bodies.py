"""Statements that the operator commits to in the log with a public body: certificates, findings, deliveries, answers.

In: a connection, what kind of statement, and its members. Out: its number. The body is kept as canonical JSON, never
edited; its digest is what the log's entry names (docs/proof.md, section 1, kinds 4 to 7).
"""

import hashlib
import json
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import psycopg

from consent.append import canonical
from hanbeon.errors import UsageError

TABLES = """
create table if not exists log_bodies (
    number bigint generated always as identity primary key,
    kind smallint not null check (kind between 4 and 7),
    stream text not null,  -- what names the log's stream; empty for none
    body text not null,  -- canonical JSON: the very bytes that the digest was taken over
    digest bytea not null check (length(digest) = 32)
);
create or replace function log_bodies_are_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'statements in the log are append-only';
end $$;
create or replace trigger log_bodies_append_only before update or delete or truncate on log_bodies
    for each statement execute function log_bodies_are_append_only();
"""


class BodyKind(IntEnum):
    """The log's kinds of entries whose body is public."""

    CERTIFICATE = 4
    FINDING = 5
    DELIVERY = 6
    ACKNOWLEDGEMENT = 7


def record_body(conn: psycopg.Connection, kind: BodyKind, body: Mapping[str, Any], stream: str = "") -> int:
    """Keep a statement for good; its number, which also becomes the body's member `number`. Committed on return.

    Bodies name nobody: whoever has the log's files reads them (P8).
    """
    if "number" in body:
        raise UsageError("A statement gets its number when it is recorded. Leave `number` out.")
    with conn.transaction():
        row = conn.execute("select nextval(pg_get_serial_sequence('log_bodies', 'number'))").fetchone()
        assert row is not None
        text = canonical({**body, "number": row[0]})
        conn.execute(
            "insert into log_bodies (number, kind, stream, body, digest) overriding system value"
            " values (%s, %s, %s, %s, %s)",
            [row[0], int(kind), stream, text.decode(), hashlib.sha256(text).digest()],
        )
    return int(row[0])


def body_of(conn: psycopg.Connection, number: int) -> dict[str, Any] | None:
    """A statement by its number, or None."""
    with conn.transaction():
        row = conn.execute("select body from log_bodies where number = %s", [number]).fetchone()
    return None if row is None else dict(json.loads(row[0]))


def bodies(conn: psycopg.Connection, kind: BodyKind) -> list[dict[str, Any]]:
    """Every statement of a kind, oldest first."""
    with conn.transaction():
        rows = conn.execute("select body from log_bodies where kind = %s order by number", [int(kind)]).fetchall()
    return [json.loads(row[0]) for row in rows]
