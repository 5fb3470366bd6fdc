"""Delta tables: create, read at a version, replace buckets, append. Only `pipeline.commit` may call what writes.

No table holds statistics of its columns (names and numbers would stand in clear in the log), checkpoint files are off
so that every version is a JSON file that a leaf can name by hash, and log clean-up is off.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction, write_deltalake
from deltalake.exceptions import TableNotFoundError

from hanbeon.errors import IntegrityError
from lake.files import make_folder, sha256, sync_folder
from lake.layout import COMMIT_FILE, PARTITION, log_path, table_path
from lake.layout import commit_path as commit_path

CONFIGURATION = {
    "delta.dataSkippingNumIndexedCols": "0",
    "delta.dataSkippingStatsColumns": "",
    "delta.checkpointInterval": "1000000000",
    "delta.enableExpiredLogCleanup": "false",
}
# One app id for all: a transaction id is (this, number), counted up under the writer lease.
APP_ID = "hanbeon"
_NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


@dataclass(frozen=True)
class FileLeaf:
    """A data file that a version added: path below the table, content hash, rows."""

    path: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class Write:
    """What to make of a table: replace `buckets` (None: all of it) with `data`, or append `data`."""

    data: pa.Table
    buckets: tuple[int, ...] | None
    is_append: bool


def open_table(root: Path, name: str, version: int | None = None) -> DeltaTable | None:
    """A handle on the table, or None while it does not exist."""
    if not log_path(root, name).is_dir():
        return None
    try:
        return DeltaTable(str(table_path(root, name)), version=version)
    except TableNotFoundError:
        return None


def versions(root: Path, name: str) -> list[int]:
    """The versions that have a commit file, in order. A gap is for `lake.verify` to find."""
    log = log_path(root, name)
    if not log.is_dir():
        return []
    return sorted(int(m[1]) for p in log.iterdir() if (m := COMMIT_FILE.fullmatch(p.name)))


def version(root: Path, name: str) -> int | None:
    """The newest version, or None while the table does not exist."""
    return max(versions(root, name), default=None)


def exists(root: Path, name: str) -> bool:
    return version(root, name) is not None


def is_empty(root: Path, name: str) -> bool:
    """Whether the table does not exist, or its newest version has no data file. No file is read."""
    table = open_table(root, name)
    return table is None or not active_files(table)


def read(root: Path, name: str, *, schema: pa.Schema, version: int | None = None) -> pa.Table:
    """The table's rows at a version (the newest by default), with exactly `schema`; no rows while it does not exist.

    A column that the table lacks comes as NULL; columns that `schema` lacks are not read. Trusts the files: readers
    that must be certain ask `lake.verify` too. Raises IntegrityError when a data file is missing (F8); a table that is
    purged while it is read is read again at its newest version, unless a version was named (F6).
    """
    for _ in range(3):
        table = open_table(root, name, version)
        if table is None:
            return schema.empty_table()
        try:
            return read_handle(table, name, schema)
        except IntegrityError:
            if version is not None or not _has_moved(root, name, table):
                raise
    raise IntegrityError(f"{name} changed under three reads in a row. Read again when its writers are done.")


def _has_moved(root: Path, name: str, table: DeltaTable) -> bool:
    return max(versions(root, name), default=-1) > int(table.version())


def read_handle(table: DeltaTable, name: str, schema: pa.Schema, buckets: Collection[int] | None = None) -> pa.Table:
    """The rows behind a handle (of some buckets), from its data files: no statistics, no second reader of the log."""
    base = Path(table.table_uri.removeprefix("file://"))
    parts = []
    for action in active_files(table):
        partition = action["partition_values"]
        if buckets is not None and PARTITION in partition and int(partition[PARTITION]) not in buckets:
            continue
        path = base / unquote(action["path"])
        try:
            with pq.ParquetFile(path) as file:
                present = [n for n in schema.names if n in file.schema_arrow.names]
                rows = file.read(columns=present)
                parts.append(_fit(rows, file.metadata.num_rows, partition, schema))
        except FileNotFoundError:
            raise IntegrityError(
                f"{name}: data file {path.name} is missing. The table is closed; run `hanbeon recover`, or rebuild it "
                "from its source."
            ) from None
        except (pa.ArrowInvalid, OSError) as error:
            raise IntegrityError(
                f"{name}: data file {path.name} cannot be read ({type(error).__name__}). The table is closed; run "
                "`hanbeon recover`, or rebuild it from its source."
            ) from None
    found = pa.concat_tables(parts) if parts else schema.empty_table()
    return found if buckets is None or PARTITION not in schema.names else _of_buckets(found, buckets)


def _of_buckets(rows: pa.Table, buckets: Collection[int]) -> pa.Table:
    import pyarrow.compute as pc

    return rows.filter(pc.is_in(rows.column(PARTITION), value_set=pa.array(sorted(buckets), pa.int32())))


def active_files(table: DeltaTable) -> list[dict[str, Any]]:
    """Path, size, rows and partition values of each data file of the handle's version."""
    rows: list[dict[str, Any]] = pa.table(table.get_add_actions(flatten=False)).to_pylist()
    for row in rows:
        row["partition_values"] = row.get("partition") or row.get("partition_values") or {}
    return sorted(rows, key=lambda r: str(r["path"]))


def _fit(rows: pa.Table, count: int, partition: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    columns = []
    for field in schema:
        if field.name in rows.schema.names:
            columns.append(rows.column(field.name).cast(field.type))
        elif field.name in partition:
            columns.append(pa.repeat(pa.scalar(int(partition[field.name]), field.type), count))
        else:
            columns.append(pa.nulls(count, field.type))
    return pa.table(columns, schema=schema)


def create(
    root: Path, name: str, schema: pa.Schema, is_partitioned: bool, metadata: Mapping[str, str], number: int
) -> None:
    """Version 0, without rows."""
    path = table_path(root, name)
    make_folder(path)
    DeltaTable.create(
        str(path),
        schema,
        mode="error",
        partition_by=[PARTITION] if is_partitioned else None,
        configuration=CONFIGURATION,
        commit_properties=_properties(metadata, number),
        post_commithook_properties=_NO_HOOKS,
    )


def write(table: DeltaTable, change: Write, metadata: Mapping[str, str], number: int) -> None:
    """One commit through this very handle; a stale handle is refused by deltalake (CommitFailedError).

    Columns that the table does not have yet are added to it.
    """
    given: dict[str, Any] = {
        "commit_properties": _properties(metadata, number),
        "post_commithook_properties": _NO_HOOKS,
        "schema_mode": "merge" if set(change.data.schema.names) - set(column_names(table)) else None,
    }
    if change.is_append:
        write_deltalake(table, change.data, mode="append", **given)
    elif change.buckets is None:
        write_deltalake(table, change.data, mode="overwrite", **given)
    else:
        predicate = f"{PARTITION} in ({', '.join(str(int(b)) for b in change.buckets)})"
        write_deltalake(table, change.data, mode="overwrite", predicate=predicate, **given)


def column_names(table: DeltaTable) -> list[str]:
    return [f.name for f in table.schema().fields]


def schema_of(table: DeltaTable) -> pa.Schema:
    """The columns that the table itself says it has."""
    return pa.schema(table.schema().to_arrow())


def _properties(metadata: Mapping[str, str], number: int) -> CommitProperties:
    # No retries inside deltalake: a conflict must ask the gate again first.
    return CommitProperties(
        custom_metadata=dict(metadata), max_commit_retries=0, app_transactions=[Transaction(APP_ID, number)]
    )


def decoded(path: str) -> str:
    """A path of the log as it is on disk."""
    return unquote(path)


def commit_actions(root: Path, name: str, version: int) -> list[dict[str, Any]]:
    """The actions of one commit file. Raises IntegrityError when it is missing, empty or not JSON (F8)."""
    path = commit_path(root, name, version)
    try:
        actions = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    except (FileNotFoundError, ValueError):
        actions = []
    if not actions or not all(isinstance(a, dict) for a in actions):
        raise IntegrityError(
            f"{name}: the commit file of version {version} is missing or damaged. The table is closed."
        )
    return actions


def commit_info(root: Path, name: str, version: int) -> dict[str, Any]:
    """What a commit says of itself: our metadata beside deltalake's."""
    for action in commit_actions(root, name, version):
        if "commitInfo" in action:
            info: dict[str, Any] = action["commitInfo"]
            return info
    return {}


def added(root: Path, name: str, version: int) -> list[dict[str, Any]]:
    """The log's own entries of the data files that one version added."""
    return [a["add"] for a in commit_actions(root, name, version) if "add" in a]


def touched_partitions(root: Path, name: str, version: int) -> list[dict[str, Any]]:
    """The partition values of each file that one version added or removed."""
    actions = commit_actions(root, name, version)
    return [a[kind].get("partitionValues") or {} for a in actions for kind in ("add", "remove") if kind in a]


def added_files(root: Path, name: str, version: int) -> list[FileLeaf]:
    """The data files that one version added, hashed from disk."""
    base = table_path(root, name)
    leaves = []
    for add in added(root, name, version):
        path = base / unquote(add["path"])
        rows = json.loads(add["stats"] or "{}").get("numRecords")
        counted = pq.ParquetFile(path).metadata.num_rows if rows is None else int(rows)
        leaves.append(FileLeaf(add["path"], sha256(path), counted))
    return leaves


def is_whole(root: Path, name: str, version: int) -> bool:
    """Whether every data file of a commit is there, of its size, with a footer: what a power loss may take away."""
    base = table_path(root, name)
    for add in added(root, name, version):
        path = base / unquote(add["path"])
        try:
            with pq.ParquetFile(path) as file:
                is_whole = path.stat().st_size == add["size"] and file.metadata is not None
        except (OSError, pa.ArrowInvalid):
            is_whole = False
        if not is_whole:
            return False
    return True


def remove_newest_commit(root: Path, name: str, version: int) -> None:
    """Take out a torn commit that nobody pinned and nobody saw. Refuses any but the newest."""
    if version != max(versions(root, name), default=-1):
        raise IntegrityError(f"{name}: version {version} is torn, but not the newest. The table is closed.")
    commit_path(root, name, version).unlink()
    sync_folder(log_path(root, name))
