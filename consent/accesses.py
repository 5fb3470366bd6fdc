"""Who read what: access records, written before the answer and never edited (P9).

In: an `Access` that a reader is about to make. Out: its id, once the record is committed. A read whose record cannot
be written is refused (F62), so every caller records first and answers second. `listing` gives the records back to
auditors; `ACCESSES_SCHEMA` is the shape of their copy in the lake, `ops/accesses`.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from enum import StrEnum

import psycopg
import pyarrow as pa
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

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
    ]
)

DDL = """
create table if not exists accesses (
    access_id bigint generated always as identity primary key,
    recorded_at timestamptz not null,
    reader text not null check (reader <> ''),
    action text not null,
    asked text not null,
    recipient text,
    service text,
    application_id text,
    _subject_key bigint,
    document_type text,
    authorisation_id text,
    is_granted boolean not null,
    reason text,
    check (is_granted or reason is not null)
);
create index if not exists accesses_authorisation on accesses (authorisation_id);
create index if not exists accesses_application on accesses (application_id);
create index if not exists accesses_subject on accesses (_subject_key);
create or replace function accesses_are_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'access records are append-only';
end $$;
create or replace trigger accesses_append_only before update or delete or truncate on accesses
    for each statement execute function accesses_are_append_only();
"""


class Action(StrEnum):
    """What kind of read it was."""

    BUNDLE = "bundle"
    SQL = "sql"
    TRACE_ROW = "trace_row"
    TRACE_AUTHORISATION = "trace_authorisation"
    TRACE_APPLICATION = "trace_application"


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
    names = ["_subject_key" if f.name == "subject_key" else f.name for f in fields(Access)]
    holes = ", ".join(["%s"] * (len(names) + 1))
    insert = f"insert into accesses (recorded_at, {', '.join(names)}) values ({holes}) returning access_id"
    try:
        with conn.transaction():
            cursor = conn.cursor(row_factory=tuple_row)
            ids = [str(_one(cursor.execute(insert, (at, *astuple(access))))) for access in accesses]
        if conn.info.transaction_status is not TransactionStatus.IDLE:
            conn.commit()  # a read had opened a transaction; a record counts only once it is committed
    except psycopg.Error as error:
        raise Refused(
            "The read could not be recorded, so it is refused. Check that the ledger's database is up and writable."
        ) from error
    return ids


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


def _one(cursor: psycopg.Cursor[tuple[object, ...]]) -> object:
    row = cursor.fetchone()
    assert row is not None
    return row[0]
