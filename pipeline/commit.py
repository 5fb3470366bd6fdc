"""The write protocol: the only way in which the lake changes (FAULTS.md).

    leaves = commit(run, [Plan("bronze/mois/resident_register", schema, compute, partitioned=True)], metadata)

For each plan, under the writer lease of its table: an intent; the gate at the newest ledger position; `compute` says
what the table should become; if the ledger moved meanwhile, both again; one Delta commit through the very handle that
was read; files and folders synced; a leaf with their hashes. Then, once for all plans, the pointer. A plan that
changes nothing writes nothing. Step 6, the signed checkpoint, is built over the leaves and is not part of this module.

A killed writer's intent is finished or swept by whoever takes the lease next (`settle`), so nothing is half-done.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError

from consent import gate, journal, ledger
from consent.journal import File, Leaf, PullState
from hanbeon.errors import DependencyDown, IntegrityError
from lake import files, layout, tables
from pipeline.run import Run

ATTEMPTS = 8
LEASE_SECONDS = 600
LEASE_CLASS = 0x68616E62


@dataclass(frozen=True)
class Change:
    """What the table should become: `data` replaces `buckets` (None: everything), or is appended."""

    data: pa.Table
    buckets: tuple[int, ...] | None
    is_append: bool = False


@dataclass
class Gate:
    """The gate of one instant at the newest ledger position, asked once and shared by the plans of one commit."""

    run: Run
    at: datetime
    snapshot: ledger.Snapshot | None = None
    allowed: pa.Table | None = None
    digest: str = ""

    def refresh(self) -> tuple[ledger.Snapshot, pa.Table]:
        """The snapshot and the gate's relation, taken anew if the ledger moved."""
        if self.snapshot is None or self.allowed is None or ledger.position(self.run.conn) != self.snapshot.position:
            self.snapshot = ledger.snapshot(self.run.conn)
            self.allowed = gate.allowed(self.snapshot, self.at)
            ids = sorted(set(self.allowed.column("authorisation_id").to_pylist()))
            self.digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()
        return self.snapshot, self.allowed


@dataclass(frozen=True)
class Current:
    """What a plan computes from: the table as it is, the ledger and the gate as of now."""

    table: str
    version: int
    schema: pa.Schema
    snapshot: ledger.Snapshot
    allowed: pa.Table
    handle: DeltaTable = field(repr=False)

    def read(self) -> pa.Table:
        """The table's present rows."""
        return tables.read_handle(self.handle, self.table, self.schema)


Compute = Callable[[Current], Change | None]


@dataclass(frozen=True)
class Plan:
    """One table's part in a commit. `also` is remembered in the same transaction as the leaf."""

    table: str
    schema: pa.Schema
    compute: Compute
    partitioned: bool
    also: PullState | None = None


def commit(run: Run, plans: Sequence[Plan], metadata: Mapping[str, str]) -> list[Leaf]:
    """Bring every plan's table to what it should be; the leaves of those that changed.

    Raises DependencyDown when disk or database fail (F3: nothing is half-published), IntegrityError when files and
    ledger disagree (F8).
    """
    gate_now = Gate(run, run.at())
    written: list[Leaf] = []
    try:
        for plan in plans:
            with lease(run, plan.table):
                written += _commit_one(run, plan, metadata, gate_now)
    finally:
        if written:
            move_pointer(run, written)
    return [leaf for leaf in written if leaf.version > 0]


def move_pointer(run: Run, written: Sequence[Leaf]) -> None:
    """Readers see the new versions, all at once; the mirror file follows."""
    newest: dict[str, int] = {}
    for leaf in written:
        newest[leaf.table] = max(leaf.version, newest.get(leaf.table, -1))
    journal.move_pointer(run.conn, newest)
    mirror_pointer(run)


def mirror_pointer(run: Run) -> None:
    content = json.dumps(journal.mirrored(run.conn), indent=1, sort_keys=True).encode()
    files.write_durably(layout.pointer_path(run.settings.lake_root), content)


@contextmanager
def lease(run: Run, table: str) -> Iterator[None]:
    """The right to write one table; a dead writer loses it with its connection. Raises DependencyDown after a while."""
    key = int.from_bytes(hashlib.sha256(table.encode()).digest()[:4], "big", signed=True)
    deadline = time.monotonic() + LEASE_SECONDS
    while not _try_lock(run.conn, key):
        if time.monotonic() > deadline:
            raise DependencyDown(f"{table} has been busy for {LEASE_SECONDS} s. See who writes it, then run again.")
        time.sleep(0.05)
    try:
        yield
    finally:
        if not run.conn.closed:
            run.conn.execute("select pg_advisory_unlock(%s, %s)", [LEASE_CLASS, key])


def _try_lock(conn: psycopg.Connection, key: int) -> bool:
    row = conn.execute("select pg_try_advisory_lock(%s, %s)", [LEASE_CLASS, key]).fetchone()
    return bool(row and row[0])


def _commit_one(run: Run, plan: Plan, metadata: Mapping[str, str], gate_now: Gate) -> list[Leaf]:
    root = run.settings.lake_root
    written = settle(run, plan.table)
    if tables.open_table(root, plan.table) is None:
        written.append(_create(run, plan, metadata))
    intent_id = _open_intent(run, plan.table, plan.also)
    for attempt in range(ATTEMPTS):
        snapshot, allowed = gate_now.refresh()
        handle = tables.open_table(root, plan.table)
        if handle is None:
            raise IntegrityError(f"{plan.table} vanished while it was written. Run `hanbeon recover`.")
        change = plan.compute(Current(plan.table, int(handle.version()), plan.schema, snapshot, allowed, handle))
        if ledger.position(run.conn) != snapshot.position:
            continue
        if change is None:
            journal.close_intent(run.conn, intent_id, "unchanged")
            return written
        try:
            written.append(_write(run, plan.table, handle, change, intent_id, metadata, gate_now))
            return written
        except CommitFailedError:
            time.sleep(0.05 * 2**attempt)
    journal.close_intent(run.conn, intent_id, "swept")
    raise DependencyDown(
        f"{plan.table}: the ledger or another writer moved {ATTEMPTS} times during one commit. Nothing was written; run again."
    )


def _open_intent(run: Run, table: str, also: PullState | None) -> int:
    version = tables.version(run.settings.lake_root, table)
    position = ledger.position(run.conn)
    return journal.open_intent(
        run.conn, run.run_id, table, run.code_hash, position, -1 if version is None else version, also
    )


def _create(run: Run, plan: Plan, metadata: Mapping[str, str]) -> Leaf:
    """Version 0, without rows, by the same protocol."""
    root = run.settings.lake_root
    position = ledger.position(run.conn)
    intent_id = _open_intent(run, plan.table, None)
    journal.plan_intent(run.conn, intent_id, 0, 1, "", position)
    about = _about(run, intent_id, position, metadata)
    with _failing_closed(run, plan.table):
        tables.create(root, plan.table, plan.schema, plan.partitioned, about, 1)
    return _pin(run, plan.table, 0, intent_id, "", position)


def _write(
    run: Run,
    table: str,
    handle: DeltaTable,
    change: Change,
    intent_id: int,
    metadata: Mapping[str, str],
    gate_now: Gate,
) -> Leaf:
    """Steps 4 and 5: plan, commit, sync, leaf."""
    assert gate_now.snapshot is not None
    position = gate_now.snapshot.position
    version = int(handle.version()) + 1
    number = (handle.transaction_version(tables.APP_ID) or 0) + 1
    journal.plan_intent(run.conn, intent_id, version, number, gate_now.digest, position)
    about = _about(run, intent_id, position, metadata)
    with _failing_closed(run, table):
        tables.write(handle, tables.Write(change.data, change.buckets, change.is_append), about, number)
    return _pin(run, table, version, intent_id, gate_now.digest, position)


def _about(run: Run, intent_id: int, position: int, metadata: Mapping[str, str]) -> dict[str, str]:
    """What the commit file says of itself, beside what deltalake writes: no personal value."""
    own = {"run_id": run.run_id, "intent_id": str(intent_id), "ledger_position": str(position), "code": run.code_hash}
    return own | dict(metadata)


@contextmanager
def _failing_closed(run: Run, table: str) -> Iterator[None]:
    """A failed write leaves no file of its own behind, and says so in one sentence (F3)."""
    try:
        yield
    except CommitFailedError:
        sweep(run, table)
        raise
    except (OSError, DeltaError) as error:
        sweep(run, table)
        raise DependencyDown(
            f"{table} could not be written ({type(error).__name__}); nothing was published. See to disk space and "
            "rights under the lake's root, then run again."
        ) from error


def _pin(run: Run, table: str, version: int, intent_id: int, digest: str, position: int) -> Leaf:
    """Sync what the commit wrote, then pin it by hashes."""
    root = run.settings.lake_root
    base = layout.table_path(root, table)
    log = tables.commit_path(root, table, version)
    added = tables.added_files(root, table, version)
    files.sync_files([*(base / tables.decoded(f.path) for f in added), log], root)
    leaf = Leaf(
        table=table,
        version=version,
        intent_id=intent_id,
        run_id=run.run_id,
        commit_sha256=files.sha256(log),
        files=tuple(File(f.path, f.sha256, f.rows) for f in added),
        authorisation_digest=digest,
        ledger_position=position,
    )
    journal.record_leaf(run.conn, leaf)
    return leaf


def settle(run: Run, table: str) -> list[Leaf]:
    """Under the lease: finish or sweep what dead writers left on this table, then hold files against leaves.

    Raises IntegrityError when a commit has no leaf and no intent explains it, or a leaf has lost its commit (F8).
    """
    root = run.settings.lake_root
    finished: list[Leaf] = []
    for intent in journal.open_intents(run.conn, table):
        planned = intent.planned_version
        is_there = planned is not None and _is_commit_of(run, table, planned, intent.intent_id)
        if is_there and planned is not None:
            finished.append(
                _pin(run, table, planned, intent.intent_id, intent.authorisation_digest or "", intent.ledger_position)
            )
        else:
            journal.close_intent(run.conn, intent.intent_id, "swept")
            sweep(run, table)
    newest = journal.newest_leaf(run.conn, table)
    version = tables.version(root, table)
    if (version is None) != (newest is None) or (newest is not None and newest.version != version):
        raise IntegrityError(
            f"{table}: the newest commit on disk is {version}, the newest leaf in the ledger is "
            f"{None if newest is None else newest.version}. The table is closed until somebody restores the one or the other."
        )
    if newest is not None and files.sha256(tables.commit_path(root, table, newest.version)) != newest.commit_sha256:
        raise IntegrityError(f"{table}: commit file {newest.version} was changed after it was written. The table is closed.")
    return finished


def _is_commit_of(run: Run, table: str, version: int, intent_id: int) -> bool:
    root = run.settings.lake_root
    if not tables.commit_path(root, table, version).exists():
        return False
    try:
        return tables.commit_info(root, table, version).get("intent_id") == str(intent_id)
    except IntegrityError:
        # The commit file was being written when its writer died: not a commit, and nobody saw it.
        tables.commit_path(root, table, version).unlink()
        return False


def sweep(run: Run, table: str) -> int:
    """Remove files that no version refers to: left by a writer that failed. Only under the lease."""
    return tables.remove_orphans(run.settings.lake_root, table, tables.referred_files(run.settings.lake_root, table))


def purge_tables(run: Run, names: Sequence[str]) -> list[str]:
    """Remove every data file that the newest version does not use: old versions keep no rows. Those that lost any.

    No Delta commit is made: the log names files by number, not by content, and stays as it is.
    """
    root = run.settings.lake_root
    purged = []
    for name in names:
        with lease(run, name):
            settle(run, name)
            handle = tables.open_table(root, name)
            if handle is None:
                continue
            active = {tables.decoded(str(f["path"])) for f in tables.active_files(handle)}
            if tables.remove_orphans(root, name, active):
                purged.append(name)
    return purged
