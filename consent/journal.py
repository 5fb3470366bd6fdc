"""The journal of lake writes, in the ledger's database: intents, leaves, the pointer, and how far each pull came.

In: a connection and what is to be remembered. Out: rows. An intent says what a writer is about to do, and the intents
of one commit call belong together; a leaf pins what was done by hashes; a pointer generation says what readers see.
Leaves and pointers are append-only by trigger. The Merkle tree over the leaves is built from these rows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

import psycopg
import pyarrow as pa

from consent.journal_tables import TABLES
from hanbeon.errors import IntegrityError

POINTER_LOCK = 0x68616E63


@dataclass(frozen=True)
class PullState:
    """How far the pulls of a dataset came: the holder's watermark, the ledger position, and what was asked for.

    `coverage` has a subject key, a variant and a list of columns for each subject asked for; no identifier.
    """

    dataset: str
    watermark: str | None
    ledger_position: int
    coverage: pa.Table


@dataclass(frozen=True)
class File:
    """A data file that a version added: path below the table, sha256 of its bytes, rows."""

    path: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class Leaf:
    """What pins one version of one table."""

    table: str
    version: int
    intent_id: int
    run_id: str
    commit_sha256: str
    files: tuple[File, ...]
    authorisation_digest: str
    ledger_position: int
    sequence: int
    body: str  # canonical JSON (docs/proof.md, section 3): what the log's entry commits to


@dataclass(frozen=True)
class Call:
    """Who writes: the intents of one call of `pipeline.commit` carry these, and become visible together.

    `ledger_root` is the root of the log's newest checkpoint, in hexadecimal, or None before the first.
    """

    call_id: str
    run_id: str
    step: str | None
    code_hash: str
    ledger_position: int
    ledger_root: str | None = None


@dataclass(frozen=True)
class Intent:
    """What a writer was about to do. `planned_version` is known once it stands before the commit."""

    intent_id: int
    run_id: str
    table: str
    snapshot_version: int
    planned_version: int | None
    authorisation_digest: str | None
    ledger_position: int
    code_hash: str
    ledger_root: str | None
    delivery: int | None  # the number of the holder's signed statement about what it delivered


def migrate(conn: psycopg.Connection) -> None:
    """Make the journal's tables; running it again changes nothing."""
    conn.execute(TABLES)


def open_intent(
    conn: psycopg.Connection,
    call: Call,
    table: str,
    version: int,
    also: PullState | None,
    delivery: int | None = None,
) -> int:
    """Step 1 of the write protocol. `version` is the table's present version, -1 while it does not exist."""
    row = conn.execute(
        "insert into intents (call_id, run_id, step, table_name, code_hash, ledger_position, snapshot_version,"
        " pull_state, ledger_root, delivery, state)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'open') returning intent_id",
        [
            call.call_id,
            call.run_id,
            call.step,
            table,
            call.code_hash,
            call.ledger_position,
            version,
            None if also is None else pack(also),
            call.ledger_root,
            delivery,
        ],
    ).fetchone()
    assert row is not None
    return int(row[0])


def plan_intent(
    conn: psycopg.Connection, intent_id: int, version: int, number: int, digest: str, position: int
) -> None:
    """What the commit will be, written before it is made."""
    conn.execute(
        "update intents set planned_version = %s, transaction_number = %s, authorisation_digest = %s,"
        " ledger_position = %s where intent_id = %s",
        [version, number, digest, position, intent_id],
    )


def close_intent(conn: psycopg.Connection, intent_id: int, state: str) -> None:
    """`unchanged`: nothing was to be written; its pull state counts all the same. `swept`: nothing was written."""
    with conn.transaction():
        row = conn.execute(
            "update intents set state = %s, closed_at = clock_timestamp() where intent_id = %s and state = 'open'"
            " returning pull_state",
            [state, intent_id],
        ).fetchone()
        if row is not None and row[0] is not None and state == "unchanged":
            _keep_pull_state(conn, unpack(row[0]))


def next_sequence(conn: psycopg.Connection) -> int:
    """A number for a leaf that is about to be recorded. Numbers may have gaps, and never repeat."""
    row = conn.execute("select nextval(pg_get_serial_sequence('leaves', 'sequence'))").fetchone()
    assert row is not None
    return int(row[0])


def record_leaf(conn: psycopg.Connection, leaf: Leaf) -> None:
    """Step 5: the leaf, the end of its intent and the pull state that goes with it, in one transaction."""
    with conn.transaction():
        conn.execute(
            "insert into leaves (sequence, table_name, version, intent_id, run_id, commit_sha256, files,"
            " authorisation_digest, ledger_position, body) overriding system value"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                leaf.sequence,
                leaf.table,
                leaf.version,
                leaf.intent_id,
                leaf.run_id,
                leaf.commit_sha256,
                json.dumps([asdict(f) for f in leaf.files]),
                leaf.authorisation_digest,
                leaf.ledger_position,
                leaf.body,
            ],
        )
        row = conn.execute(
            "update intents set state = 'done', closed_at = clock_timestamp() where intent_id = %s"
            " returning pull_state",
            [leaf.intent_id],
        ).fetchone()
        if row is not None and row[0] is not None:
            _keep_pull_state(conn, unpack(row[0]))


def open_intents(conn: psycopg.Connection, table: str | None = None) -> list[Intent]:
    """Intents without an end: their writers are at work, or dead."""
    rows = conn.execute(
        f"select {_INTENT} from intents where state = 'open' and (%s::text is null or table_name = %s)"
        " order by intent_id",
        [table, table],
    ).fetchall()
    return [Intent(*r) for r in rows]


def intent(conn: psycopg.Connection, intent_id: int) -> Intent:
    """One intent. Raises IntegrityError when the journal has lost it."""
    row = conn.execute(f"select {_INTENT} from intents where intent_id = %s", [intent_id]).fetchone()
    if row is None:
        raise IntegrityError("An intent is missing from the journal. Restore the ledger's database.")
    return Intent(*row)


_INTENT = (
    "intent_id, run_id, table_name, snapshot_version, planned_version, authorisation_digest, ledger_position,"
    " code_hash, ledger_root, delivery"
)
_LEAF = (
    "table_name, version, intent_id, run_id, commit_sha256, files, authorisation_digest, ledger_position, sequence,"
    " coalesce(body, '')"
)


def _leaf(row: Sequence[Any]) -> Leaf:
    table, version, intent_id, run_id, commit_sha256, files, *rest = row
    return Leaf(table, version, intent_id, run_id, commit_sha256, tuple(File(**f) for f in files), *rest)


def leaves(conn: psycopg.Connection, table: str) -> list[Leaf]:
    """Every leaf of a table, oldest version first."""
    rows = conn.execute(f"select {_LEAF} from leaves where table_name = %s order by version", [table]).fetchall()
    return [_leaf(r) for r in rows]


def newest_leaf(conn: psycopg.Connection, table: str) -> Leaf | None:
    row = conn.execute(
        f"select {_LEAF} from leaves where table_name = %s order by version desc limit 1", [table]
    ).fetchone()
    return None if row is None else _leaf(row)


def leaf_of_step(conn: psycopg.Connection, run_id: str, step: str, table: str) -> Leaf | None:
    """What this step of this run has already written into the table (F4), or None."""
    row = conn.execute(
        f"select {_LEAF} from leaves where intent_id in (select intent_id from intents where run_id = %s and step = %s"
        " and table_name = %s and state = 'done')",
        [run_id, step, table],
    ).fetchone()
    return None if row is None else _leaf(row)


def tables_with_leaves(conn: psycopg.Connection) -> list[str]:
    return [r[0] for r in conn.execute("select distinct table_name from leaves order by 1").fetchall()]


def showable(conn: psycopg.Connection) -> dict[str, int]:
    """The newest version of each table whose whole commit call came to its end: what a pointer may show."""
    rows = conn.execute(
        "select leaves.table_name, max(leaves.version) from leaves join intents using (intent_id)"
        " where not exists (select 1 from intents as other where other.call_id = intents.call_id"
        " and other.state in ('open', 'swept')) group by leaves.table_name"
    ).fetchall()
    return {r[0]: int(r[1]) for r in rows}


def move_pointer(conn: psycopg.Connection, versions: Mapping[str, int]) -> int:
    """Step 7: a new generation, in one transaction; a table's version never moves back. Returns the generation."""
    with conn.transaction():
        conn.execute("select pg_advisory_xact_lock(%s)", [POINTER_LOCK])
        row = conn.execute("select coalesce(max(generation), 0) from pointers").fetchone()
        assert row is not None
        current = pointer(conn)
        merged = current | {t: max(v, current.get(t, -1)) for t, v in versions.items()}
        if merged == current:
            return int(row[0])
        with conn.cursor() as cursor:
            cursor.executemany(
                "insert into pointers (generation, table_name, version) values (%s, %s, %s)",
                [(row[0] + 1, table, version) for table, version in sorted(merged.items())],
            )
        return int(row[0]) + 1


def pointer(conn: psycopg.Connection) -> dict[str, int]:
    """What readers see: table to version."""
    rows = conn.execute(
        "select table_name, version from pointers where generation = (select max(generation) from pointers)"
    ).fetchall()
    return {r[0]: int(r[1]) for r in rows}


def pull_state(conn: psycopg.Connection, dataset: str) -> PullState | None:
    """How far the pulls of a dataset came, or None before the first complete one."""
    row = conn.execute("select state from pull_states where dataset = %s", [dataset]).fetchone()
    return None if row is None else unpack(row[0])


def _keep_pull_state(conn: psycopg.Connection, state: PullState) -> None:
    """The state of the newest ledger position stays: a pull that began earlier and ended later sets nothing back."""
    conn.execute(
        "insert into pull_states (dataset, ledger_position, state) values (%s, %s, %s) on conflict (dataset) do update"
        " set ledger_position = excluded.ledger_position, state = excluded.state"
        " where pull_states.ledger_position <= excluded.ledger_position",
        [state.dataset, state.ledger_position, pack(state)],
    )


def pack(state: PullState) -> bytes:
    """A pull state as bytes: an Arrow stream whose schema metadata carry the rest."""
    about = {"dataset": state.dataset, "watermark": state.watermark, "ledger_position": state.ledger_position}
    table = state.coverage.replace_schema_metadata({"pull_state": json.dumps(about)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def unpack(packed: bytes) -> PullState:
    table = pa.ipc.open_stream(BytesIO(packed)).read_all()
    about = json.loads(table.schema.metadata[b"pull_state"])
    return PullState(coverage=table.replace_schema_metadata(None), **about)


def mirrored(conn: psycopg.Connection) -> dict[str, Any]:
    """The newest generation as the mirror file holds it."""
    row = conn.execute("select max(generation), max(moved_at) from pointers").fetchone()
    assert row is not None
    moved_at: datetime | None = row[1]
    return {
        "generation": row[0] or 0,
        "moved_at": None if moved_at is None else moved_at.isoformat(),
        "tables": pointer(conn),
    }
