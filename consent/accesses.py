"""Who read what: access records, written before the answer and never edited (P9).

In: an `Access` that a reader is about to make. Out: its id, once the record is committed. A read whose record cannot
be written is refused (F62), so every caller records first and answers second. `listing` gives the records back to
auditors; `ACCESSES_SCHEMA` is the shape of their copy in the lake, `ops/accesses`. Each record has a salt and a leaf
hash over its canonical form (`entry_of`), which is what the log commits to. After the legal term salt and content go,
by `erase` alone, and the leaf hash stays.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from consent.append import SALT_BYTES, canonical, instant_text
from hanbeon.errors import Refused, UsageError

LONGEST_TEXT = 10_000

ACCESSES_SCHEMA = pa.schema(
    [
        pa.field("access_id", pa.string()),
        pa.field("recorded_at", pa.timestamp("us", tz="UTC")),
        pa.field("reader", pa.string()),
        pa.field("action", pa.string()),
        pa.field("asked", pa.string()),
        pa.field("recipient", pa.string()),
        pa.field("service", pa.string()),
        pa.field("application_id", pa.string()),
        pa.field("_subject_key", pa.int64()),
        pa.field("document_type", pa.string()),
        pa.field("authorisation_id", pa.string()),
        pa.field("is_granted", pa.bool_()),
        pa.field("reason", pa.string()),
        pa.field("salt", pa.binary()),
        pa.field("leaf_hash", pa.binary()),
    ]
)

DDL = """
create table if not exists accesses (
    access_id bigint generated always as identity primary key,
    recorded_at timestamptz not null,
    reader text check (reader <> ''),
    action text,
    asked text,
    recipient text,
    service text,
    application_id text,
    _subject_key bigint,
    document_type text,
    authorisation_id text,
    is_granted boolean,
    reason text,
    salt bytea,  -- goes with the content once the legal term is over; the leaf hash stays
    leaf_hash bytea check (length(leaf_hash) = 32),
    check (is_granted or reason is not null),
    check (num_nulls(reader, action, asked, is_granted, salt) in (0, 5)),
    check (leaf_hash is not null)
);
create index if not exists accesses_authorisation on accesses (authorisation_id);
create index if not exists accesses_application on accesses (application_id);
create index if not exists accesses_subject on accesses (_subject_key);
create or replace function accesses_are_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and current_setting('hanbeon.erasing', true) = 'on' then
        if num_nonnulls(new.reader, new.action, new.asked, new.recipient, new.service, new.application_id,
                new._subject_key, new.document_type, new.authorisation_id, new.is_granted, new.reason, new.salt) = 0
            and (new.access_id, new.recorded_at, new.leaf_hash)
                is not distinct from (old.access_id, old.recorded_at, old.leaf_hash)
        then
            return new;
        end if;
    end if;
    raise exception 'access records are append-only';
end $$;
create or replace trigger accesses_no_edit before update or delete on accesses
    for each row execute function accesses_are_append_only();
create or replace trigger accesses_no_truncate before truncate on accesses
    for each statement execute function accesses_are_append_only();

create or replace function ledger_erase_accesses(ids bigint[]) returns bigint language plpgsql as $$
declare erased bigint;
begin
    perform set_config('hanbeon.erasing', 'on', true);
    update accesses set reader = null, action = null, asked = null, recipient = null, service = null,
        application_id = null, _subject_key = null, document_type = null, authorisation_id = null, is_granted = null,
        reason = null, salt = null
    where access_id = any(ids) and salt is not null;
    get diagnostics erased = row_count;
    perform set_config('hanbeon.erasing', 'off', true);
    return erased;
end $$;
"""


class Action(StrEnum):
    """What kind of read it was."""

    BUNDLE = "bundle"
    SHADOW = "shadow"
    SQL = "sql"
    TRACE_ROW = "trace_row"
    TRACE_AUTHORISATION = "trace_authorisation"
    TRACE_APPLICATION = "trace_application"
    PACK = "pack"
    ABSENCE = "absence"
    HOLD = "hold"
    REVIEW = "review"


@dataclass(frozen=True)
class Access:
    """One read of one document (or one query) by one reader. A refused one names its reason (F60)."""

    reader: str
    action: Action
    asked: str
    recipient: str | None = None
    service: str | None = None
    application_id: str | None = None
    subject_key: int | None = None
    document_type: str | None = None
    authorisation_id: str | None = None
    is_granted: bool = True
    reason: str | None = None


def migrate(conn: psycopg.Connection) -> None:
    """Idempotent DDL. A trigger keeps the table append-only, whoever writes."""
    conn.execute(DDL)


def record(conn: psycopg.Connection, access: Access, at: datetime) -> str:
    """Write and commit one record; returns its id. Raises Refused when it cannot be written (F62)."""
    return record_all(conn, [access], at)[0]


def record_all(conn: psycopg.Connection, accesses: Sequence[Access], at: datetime) -> list[str]:
    """Write and commit the records of one read together: all of them or none."""
    for access in accesses:
        _check(access)
    try:
        with conn.transaction():
            ids = insert(conn, accesses, at)
        if conn.info.transaction_status is not TransactionStatus.IDLE:
            conn.commit()  # a read had opened a transaction; a record counts only once it is committed
    except psycopg.Error as error:
        raise Refused(
            "The read could not be recorded, so it is refused. Check that the ledger's database is up and writable."
        ) from error
    return ids


def insert(conn: psycopg.Connection, accesses: Sequence[Access], at: datetime) -> list[str]:
    """Write records in the caller's transaction. They count once that is committed."""
    numbers = "select nextval(pg_get_serial_sequence('accesses', 'access_id')) from generate_series(1, %s)"
    cursor = conn.cursor(row_factory=tuple_row)
    ids = [str(row[0]) for row in cursor.execute(numbers, [len(accesses)])]
    cursor.executemany(_INSERT, [_row(access_id, access, at) for access_id, access in zip(ids, accesses, strict=True)])
    return ids


_INSERT = (
    f"insert into accesses ({', '.join(ACCESSES_SCHEMA.names)}) overriding system value"
    f" values ({', '.join(f'%({name})s' for name in ACCESSES_SCHEMA.names)})"
)


def _row(access_id: str, access: Access, at: datetime) -> dict[str, Any]:
    given = dict(zip((f.name for f in fields(Access)), astuple(access), strict=True))
    given["_subject_key"] = given.pop("subject_key")
    row = {**given, "access_id": access_id, "recorded_at": at, "salt": os.urandom(SALT_BYTES)}
    return {**row, "leaf_hash": leaf_hash(row)}


def entry_of(record: Mapping[str, Any]) -> bytes:
    """The canonical record that a leaf hash is taken over, from a row with the columns of `ops/accesses`.

    The 64-bit key and the record's id are texts, the instant as in events.
    """
    key = record["_subject_key"]
    content = {name: record[name] for name in ACCESSES_SCHEMA.names if name not in ("salt", "leaf_hash")}
    return canonical(
        {
            **content,
            "_subject_key": None if key is None else str(key),
            "access_id": str(record["access_id"]),
            "recorded_at": instant_text(record["recorded_at"]),
        }
    )


def leaf_hash(record: Mapping[str, Any]) -> bytes:
    """sha256(salt || canonical record): what the log's entry names. Not for a record that is erased."""
    return hashlib.sha256(bytes(record["salt"]) + entry_of(record)).digest()


def erase(conn: psycopg.Connection, access_ids: Sequence[int]) -> int:
    """Empty salt and content of these records, for the end of their legal term alone; how many were emptied now."""
    with conn.transaction():
        row = conn.execute("select ledger_erase_accesses(%s::bigint[])", [list(access_ids)]).fetchone()
    return int(row[0]) if row else 0


def listing(
    conn: psycopg.Connection,
    *,
    authorisation_ids: Sequence[str] | None = None,
    application_id: str | None = None,
    reader: str | None = None,
    subject_key: int | None = None,
    after: int = 0,
    limit: int | None = None,
) -> pa.Table:
    """Access records in order, narrowed by whatever is given."""
    conditions: list[str] = ["access_id > %s"]
    values: list[object] = [after]
    if authorisation_ids is not None:
        conditions.append("authorisation_id = any(%s)")
        values.append(list(authorisation_ids))
    for name, value in (("application_id", application_id), ("reader", reader), ("_subject_key", subject_key)):
        if value is not None:
            conditions.append(f"{name} = %s")
            values.append(value)
    columns = ", ".join(ACCESSES_SCHEMA.names)
    query = f"select {columns} from accesses where {' and '.join(conditions)} order by access_id limit %s"
    with conn.transaction():
        rows = conn.cursor(row_factory=tuple_row).execute(query, (*values, limit)).fetchall()
    given = [dict(zip(ACCESSES_SCHEMA.names, (str(row[0]), *row[1:]), strict=True)) for row in rows]
    return pa.Table.from_pylist(given, schema=ACCESSES_SCHEMA)


def _check(access: Access) -> None:
    if not access.reader.strip():
        raise UsageError("A read needs a reader. Name who reads with --reader.")
    for text in (access.reader, access.asked, access.application_id or "", access.authorisation_id or ""):
        if "\x00" in text or len(text) > LONGEST_TEXT:
            raise UsageError(f"What is asked must be text of at most {LONGEST_TEXT} characters, without NUL.")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise UsageError("What is asked must be valid Unicode text.") from error
