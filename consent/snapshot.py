"""The ledger's present state as Arrow tables, at one position.

In: a connection. Out: `Snapshot`, taken in one REPEATABLE READ transaction, columns named as users read them; and
`events` after a position. Rows come by COPY as CSV into Arrow: a million authorisations take seconds, not minutes.
"""

from dataclasses import dataclass, field
from io import BytesIO

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from psycopg.pq import TransactionStatus
from pyarrow import csv

INSTANT = pa.timestamp("us", tz="UTC")
SEPARATOR = "\x1f"  # between the columns of a list; no text of the ledger holds a control character

AUTHORISATIONS_SCHEMA = pa.schema(
    [
        pa.field("authorisation_id", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("_grantor_key", pa.int64()),
        pa.field("_subject_key", pa.int64()),
        pa.field("application_id", pa.string()),
        pa.field("document_type", pa.string()),
        pa.field("variant", pa.string()),
        pa.field("columns", pa.list_(pa.string())),
        pa.field("holder", pa.string()),
        pa.field("recipient", pa.string()),
        pa.field("service", pa.string()),
        pa.field("purpose", pa.string()),
        pa.field("legal_basis", pa.string()),
        pa.field("approval_id", pa.string()),
        pa.field("mode", pa.string()),
        pa.field("valid_from", INSTANT),
        pa.field("valid_until", INSTANT),
        pa.field("retain_until", INSTANT),
        pa.field("cycle", pa.string()),
        pa.field("frequency_cap", pa.int64()),
        pa.field("used_count", pa.int64()),
        pa.field("notice_version", pa.string()),
        pa.field("notice_hash", pa.string()),
        pa.field("proof_digest", pa.string()),
        pa.field("grantor_capacity", pa.string()),
        pa.field("identifier_statute", pa.string()),
        pa.field("state", pa.string()),
        pa.field("state_at", INSTANT),
        pa.field("ledger_position", pa.int64()),
    ]
)
APPROVALS_SCHEMA = pa.schema(
    [
        pa.field("approval_id", pa.string()),
        pa.field("holder", pa.string()),
        pa.field("recipient", pa.string()),
        pa.field("document_type", pa.string()),
        pa.field("purpose", pa.string()),
        pa.field("legal_basis", pa.string()),
        pa.field("storage", pa.string()),
        pa.field("valid_from", INSTANT),
        pa.field("valid_until", INSTANT),
        pa.field("state", pa.string()),
        pa.field("state_at", INSTANT),
        pa.field("ledger_position", pa.int64()),
    ]
)
APPLICATIONS_SCHEMA = pa.schema(
    [
        pa.field("application_id", pa.string()),
        pa.field("service", pa.string()),
        pa.field("recipient", pa.string()),
        pa.field("applicant_key", pa.int64()),
        pa.field("applicant_kind", pa.string()),
        pa.field("member_keys", pa.list_(pa.int64())),  # NULL for none, as in the next
        pa.field("not_concerned", pa.list_(pa.string())),
        pa.field("opened_at", INSTANT),
        pa.field("state", pa.string()),
        pa.field("decision", pa.string()),
        pa.field("decided_at", INSTANT),
        pa.field("ledger_position", pa.int64()),
    ]
)
PAPERS_SCHEMA = pa.schema(
    [
        pa.field("application_id", pa.string()),
        pa.field("document_type", pa.string()),
        pa.field("brought_at", INSTANT),
        pa.field("ledger_position", pa.int64()),
    ]
)
BLOCKS_SCHEMA = pa.schema(
    [
        pa.field("block_id", pa.string()),
        pa.field("victim_key", pa.int64()),
        pa.field("restricted_key", pa.int64()),
        pa.field("legal_basis", pa.string()),
        pa.field("valid_from", INSTANT),
        pa.field("valid_until", INSTANT),
        pa.field("ledger_position", pa.int64()),
    ]
)
REPRESENTATIONS_SCHEMA = pa.schema(
    [
        pa.field("representation_id", pa.string()),
        pa.field("represented_key", pa.int64()),
        pa.field("representative_key", pa.int64()),
        pa.field("capacity", pa.string()),
        pa.field("valid_from", INSTANT),
        pa.field("valid_until", INSTANT),
        pa.field("of_age_at", INSTANT),
        pa.field("evidence", pa.string()),
        pa.field("ledger_position", pa.int64()),
    ]
)
DEATHS_SCHEMA = pa.schema(
    [
        pa.field("death_id", pa.string()),
        pa.field("subject_key", pa.int64()),
        pa.field("died_on", pa.date32()),
        pa.field("evidence", pa.string()),
        pa.field("ledger_position", pa.int64()),
    ]
)
USES_SCHEMA = pa.schema(
    [
        pa.field("authorisation_id", pa.string()),
        pa.field("document_type", pa.string()),
        pa.field("period", pa.string()),
        pa.field("used_at", INSTANT),
        pa.field("ledger_position", pa.int64()),
    ]
)
EVENTS_SCHEMA = pa.schema(
    [
        pa.field("position", pa.int64()),
        pa.field("instant", INSTANT),
        pa.field("authorisation_id", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("subject", pa.string()),
        pa.field("salt", pa.binary()),
        pa.field("leaf_hash", pa.binary()),
        pa.field("payload", pa.string()),  # canonical JSON, as the leaf hash was taken over it
    ]
)
# table -> (schema, order)
TABLES = {
    "authorisations": (AUTHORISATIONS_SCHEMA, "authorisation_id, document_type, subject_key"),
    "approvals": (APPROVALS_SCHEMA, "approval_id"),
    "applications": (APPLICATIONS_SCHEMA, "application_id"),
    "papers": (PAPERS_SCHEMA, "application_id, document_type"),
    "blocks": (BLOCKS_SCHEMA, "block_id"),
    "representations": (REPRESENTATIONS_SCHEMA, "representation_id"),
    "deaths": (DEATHS_SCHEMA, "death_id"),
    "uses": (USES_SCHEMA, "authorisation_id, document_type"),
}
EVERYTHING = sql.SQL("true")


@dataclass(frozen=True)
class Snapshot:
    """The state that a decision rests on, and the ledger position at which it held."""

    position: int
    authorisations: pa.Table
    approvals: pa.Table
    applications: pa.Table
    papers: pa.Table
    blocks: pa.Table = field(default_factory=BLOCKS_SCHEMA.empty_table)
    representations: pa.Table = field(default_factory=REPRESENTATIONS_SCHEMA.empty_table)
    deaths: pa.Table = field(default_factory=DEATHS_SCHEMA.empty_table)
    uses: pa.Table = field(default_factory=USES_SCHEMA.empty_table)


def snapshot(conn: psycopg.Connection) -> Snapshot:
    """Everything at one position. Inside a caller's transaction the head is held instead, to the same effect."""
    is_outermost = conn.info.transaction_status is TransactionStatus.IDLE
    with conn.transaction():
        if is_outermost:
            conn.execute("set transaction isolation level repeatable read, read only")
        held = "" if is_outermost else " for share"
        row = conn.execute(f"select position from ledger_head{held}").fetchone()
        assert row is not None
        return Snapshot(int(row[0]), **{name: read(conn, name) for name in TABLES})


def read(conn: psycopg.Connection, name: str, where: sql.Composable = EVERYTHING) -> pa.Table:
    """One of `TABLES`, in a fixed order, by COPY."""
    schema, order = TABLES[name]
    query = sql.SQL("copy (select {} from {} where {} order by {}) to stdout (format csv)").format(
        sql.SQL(", ").join(_expression(f) for f in schema), sql.Identifier(name), where, sql.SQL(order)
    )
    with conn.transaction():
        conn.execute("set local timezone to 'UTC'; set local datestyle to 'ISO'")
        buffer = BytesIO()
        with conn.cursor() as cursor, cursor.copy(query) as copy:
            for chunk in copy:
                buffer.write(chunk)
    return _parse(buffer, schema)


def _expression(field: pa.Field) -> sql.Composable:
    column = sql.Identifier(field.name.removeprefix("_"))
    if pa.types.is_list(field.type):
        return sql.SQL("array_to_string({}, {})").format(column, sql.Literal(SEPARATOR))
    return column


def _parse(buffer: BytesIO, schema: pa.Schema) -> pa.Table:
    """CSV to Arrow with the schema's own types; an empty text and NULL stay apart."""
    lists = {f.name for f in schema if pa.types.is_list(f.type)}
    flat = pa.schema([f.with_type(pa.string()) if f.name in lists else f for f in schema])
    if not buffer.getbuffer().nbytes:
        return schema.empty_table()
    buffer.seek(0)
    table = csv.read_csv(
        buffer,
        read_options=csv.ReadOptions(column_names=schema.names),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=flat, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )
    for name in lists:
        index = schema.get_field_index(name)
        parts = pc.split_pattern(table.column(name), SEPARATOR).cast(schema.field(index).type)
        table = table.set_column(index, schema.field(index), parts)
    return table.cast(schema)


def events(conn: psycopg.Connection, after: int) -> pa.Table:
    """Ledger events with a position above `after`, in order."""
    with conn.transaction():
        rows = conn.execute(
            "select position, instant, authorisation_id, kind, subject, salt, leaf_hash, payload::text"
            " from events where position > %s order by position",
            [after],
            binary=True,
        ).fetchall()
    columns = list(zip(*rows, strict=True)) or [() for _ in EVENTS_SCHEMA]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, EVENTS_SCHEMA, strict=True)], schema=EVENTS_SCHEMA)
