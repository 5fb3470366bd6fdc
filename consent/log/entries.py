"""Entries: what is in the log, and in which order.

In: a connection. Out: rows of `log_entries`, an index for each event, commit, access record and statement, given once
and for good. A source's numbers can be committed late, a lower one after a higher one; the numbers that were missing
when a higher one was sequenced are remembered as gaps, and looked for again each time. So nothing is missed, and
nothing is scanned twice.
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import psycopg

from hanbeon.errors import UsageError

VERSION = 1
NO_STREAM = bytes(8)
ENTRY_BYTES = 50
MANY = 10_000  # after so many new rows the planner must not guess, or it reads whole tables for a handful
ENTRY = struct.Struct(">BBQ8s32s")

TABLES = """
create table if not exists log_entries (
    index bigint primary key check (index >= 0),
    kind smallint not null check (kind between 1 and 7),
    number bigint not null check (number > 0),
    stream bytea not null check (length(stream) = 8),
    digest bytea not null check (length(digest) = 32),
    unique (kind, number, stream)
);
create table if not exists log_gaps (
    source text not null,
    first bigint not null,
    last bigint not null check (first <= last),
    primary key (source, first)
);
create or replace function log_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the log is append-only';
end $$;
create or replace trigger log_entries_append_only before update or delete or truncate on log_entries
    for each statement execute function log_is_append_only();
create or replace trigger log_gaps_append_only before update or delete or truncate on log_gaps
    for each statement execute function log_is_append_only();
"""


class Kind(IntEnum):
    """What an entry commits to."""

    EVENT = 1
    COMMIT = 2
    ACCESS = 3
    CERTIFICATE = 4
    FINDING = 5
    DELIVERY = 6
    ACKNOWLEDGEMENT = 7


ZEROS = r"'\x0000000000000000'::bytea"
EVENTS = f"select 1::smallint as kind, position as number, {ZEROS} as stream, leaf_hash as digest from events"
COMMITS = (
    "select 2::smallint as kind, sequence as number, substr(sha256(convert_to(table_name, 'UTF8')), 1, 8) as stream,"
    " sha256(convert_to(body, 'UTF8')) as digest from leaves where body is not null"
)
ACCESSES = (
    f"select 3::smallint as kind, access_id as number, {ZEROS} as stream, leaf_hash as digest from accesses"
    " where leaf_hash is not null"
)
BODIES = (
    f"select kind, number, case stream when '' then {ZEROS} else substr(sha256(convert_to(stream, 'UTF8')), 1, 8) end"
    " as stream, sha256(convert_to(body, 'UTF8')) as digest from log_bodies"
)
SOURCES: dict[str, tuple[tuple[int, ...], str]] = {
    "events": ((1,), EVENTS),
    "leaves": ((2,), COMMITS),
    "accesses": ((3,), ACCESSES),
    "bodies": ((4, 5, 6, 7), BODIES),
}

_BETWEEN = "and e.index >= %(start)s and e.index < %(stop)s"
_PUBLIC = {
    "leaves": "select e.index, l.body from log_entries as e join leaves as l on l.sequence = e.number"
    f" where e.kind = 2 {_BETWEEN}",
    "bodies": "select e.index, b.body from log_entries as e join log_bodies as b on b.number = e.number"
    f" where e.kind > 3 {_BETWEEN}",
}
_NEWEST = (
    "select coalesce(max(newest), 0) from unnest(%s::smallint[]) as k,"
    " lateral (select number as newest from log_entries where kind = k order by kind desc, number desc limit 1) as one"
)
_TAKE = """
with fresh as materialized (
    select kind, number, stream, digest from ({source}) as s where number > %(newest)s
    union all
    select s.kind, s.number, s.stream, s.digest
    from log_gaps as g cross join lateral (  -- one look-up a gap and a number, whatever the planner guesses
        select * from ({source}) as all_of_it where number between g.first and g.last offset 0
    ) as s
    where g.source = %(name)s and (
        select e.index from log_entries as e where e.kind = s.kind and e.number = s.number and e.stream = s.stream
    ) is null
), gaps as (
    insert into log_gaps (source, first, last)
    select %(name)s, before + 1, number - 1
    from (
        select number, lag(number, 1, %(newest)s) over (order by number) as before
        from fresh where number > %(newest)s
    ) as n
    where number > before + 1
)
insert into log_entries (index, kind, number, stream, digest)
select %(size)s + row_number() over (order by kind, number) - 1, kind, number, stream, digest from fresh
"""


@dataclass(frozen=True)
class Sequenced:
    """One row of the log in the ledger's database."""

    index: int
    kind: int
    number: int
    stream: bytes
    digest: bytes

    @property
    def entry(self) -> bytes:
        return ENTRY.pack(VERSION, self.kind, self.number, self.stream, self.digest)


def migrate(conn: psycopg.Connection) -> None:
    """Make the log's tables; running it again changes nothing."""
    conn.execute(TABLES)


def entry_bytes(kind: int, number: int, stream: bytes, digest: bytes) -> bytes:
    """The 50 bytes that the tree's leaf is taken over. Raises UsageError for parts of a wrong size."""
    if len(stream) != len(NO_STREAM) or len(digest) != 32 or not 1 <= kind <= 7 or not 0 < number < 1 << 63:
        raise UsageError("An entry has a kind from 1 to 7, a number, a stream of 8 bytes and a digest of 32.")
    return ENTRY.pack(VERSION, kind, number, stream, digest)


def stream_of(name: str) -> bytes:
    """The stream of a table or dataset; of no name, zeros."""
    return hashlib.sha256(name.encode()).digest()[:8] if name else NO_STREAM


def size(conn: psycopg.Connection) -> int:
    """How many entries are sequenced: one more than the highest index."""
    return number_of(conn, "select coalesce(max(index) + 1, 0) from log_entries")


def sequence(conn: psycopg.Connection) -> int:
    """Give an index to everything that has none; the log's new size. Only under the publisher's lock."""
    with conn.transaction():
        total = before = size(conn)
        for name, (kinds, source) in SOURCES.items():
            newest = newest_number(conn, kinds)
            taken = conn.execute(_TAKE.format(source=source), {"name": name, "newest": newest, "size": total})
            total += taken.rowcount
    if total - before >= MANY:
        conn.execute("analyze log_entries, events, leaves, accesses, log_bodies")
    return total


def newest_number(conn: psycopg.Connection, kinds: Sequence[int]) -> int:
    """The highest number of these kinds that is sequenced."""
    return number_of(conn, _NEWEST, [list(kinds)])


def entries(conn: psycopg.Connection, start: int, stop: int) -> list[tuple[int, bytes]]:
    """Index and bytes of the entries start <= index < stop, in order."""
    rows = conn.cursor(binary=True).execute(
        "select index, kind, number, stream, digest from log_entries where index >= %s and index < %s order by index",
        [start, stop],
    )
    pack = ENTRY.pack
    return [(row[0], pack(VERSION, row[1], row[2], row[3], row[4])) for row in rows]


def public_bodies(conn: psycopg.Connection, start: int, stop: int) -> Iterator[tuple[int, str]]:
    """Index and canonical text of the public bodies of start <= index < stop, in order."""
    queries = " union all ".join(_PUBLIC.values())
    yield from conn.execute(f"{queries} order by 1", {"start": start, "stop": stop})


def index_of(conn: psycopg.Connection, kind: int, number: int, stream: bytes = NO_STREAM) -> int | None:
    """Where something stands in the log, or None while it is not sequenced."""
    with conn.transaction():
        row = conn.execute(
            "select index from log_entries where kind = %s and number = %s and stream = %s", [kind, number, stream]
        ).fetchone()
    return None if row is None else int(row[0])


def number_of(conn: psycopg.Connection, query: str, values: Sequence[object] | None = None) -> int:
    """The one number that a query gives."""
    row = conn.execute(query, values).fetchone()
    assert row is not None
    return int(row[0])
