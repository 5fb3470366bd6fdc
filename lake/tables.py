"""Delta tables: create, read at a version, replace buckets, append. Only `pipeline.commit` may call what writes.

No table holds statistics of its columns (names and numbers would stand in clear in the log), checkpoint files are off
so that every version is a JSON file that a leaf can name by hash, and log clean-up is off.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import TableNotFoundError

from hanbeon.errors import IntegrityError
from lake.files import sha256, sync_folder
from lake.layout import PARTITION, table_path

CONFIGURATION = {
    "delta.dataSkippingNumIndexedCols": "0",
    "delta.dataSkippingStatsColumns": "",
    "delta.checkpointInterval": "1000000000",
    "delta.enableExpiredLogCleanup": "false",
}
# One app id for all: a transaction id is (this, number), counted up under the writer lease.
APP_ID = "hanbeon"


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
    path = table_path(root, name)
    if not (path / "_delta_log").is_dir():
        return None
    try:
        return DeltaTable(str(path), version=version)
    except TableNotFoundError:
        return None


def version(root: Path, name: str) -> int | None:
    table = open_table(root, name)
    return None if table is None else int(table.version())


def read(root: Path, name: str, *, schema: pa.Schema, version: int | None = None) -> pa.Table:
    """The table's rows at a version (the newest by default), with exactly `schema`; no rows while it does not exist.

    A column that the table lacks comes as NULL. Raises IntegrityError when a data file is missing (F8).
    """
    table = open_table(root, name, version)
    return schema.empty_table() if table is None else read_handle(table, name, schema)


def read_handle(table: DeltaTable, name: str, schema: pa.Schema) -> pa.Table:
    """The rows behind a handle, from its data files: no column statistics, no second reader of the log."""
    base = Path(table.table_uri.removeprefix("file://"))
    parts = []
    for action in active_files(table):
        path = base / unquote(action["path"])
        try:
            rows = pq.ParquetFile(path).read()
        except FileNotFoundError:
            raise IntegrityError(
                f"{name}: data file {path.name} is missing. The table is closed; run `hanbeon recover`, or rebuild it "
                "from its source."
            ) from None
        parts.append(_fit(rows, action["partition_values"], schema))
    return pa.concat_tables(parts) if parts else schema.empty_table()


def active_files(table: DeltaTable) -> list[dict[str, Any]]:
    """Path, size, rows and partition values of each data file of the handle's version."""
    rows: list[dict[str, Any]] = pa.table(table.get_add_actions(flatten=False)).to_pylist()
    for row in rows:
        row["partition_values"] = row.get("partition") or row.get("partition_values") or {}
    return sorted(rows, key=lambda r: str(r["path"]))


def _fit(rows: pa.Table, partition: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    columns = []
    for field in schema:
        if field.name in rows.schema.names:
            columns.append(rows.column(field.name).cast(field.type))
        elif field.name in partition:
            columns.append(pa.array([int(partition[field.name])] * rows.num_rows, field.type))
        else:
            columns.append(pa.nulls(rows.num_rows, field.type))
    return pa.table(columns, schema=schema)


def create(root: Path, name: str, schema: pa.Schema, is_partitioned: bool, metadata: Mapping[str, str], number: int) -> None:
    """Version 0, without rows."""
    path = table_path(root, name)
    path.mkdir(parents=True, exist_ok=True)
    write_deltalake(
        str(path),
        schema.empty_table(),
        mode="error",
        partition_by=[PARTITION] if is_partitioned else None,
        configuration=CONFIGURATION,
        commit_properties=_properties(metadata, number),
    )


def write(table: DeltaTable, change: Write, metadata: Mapping[str, str], number: int) -> None:
    """One commit through this very handle; a stale handle is refused by deltalake (CommitFailedError)."""
    properties = _properties(metadata, number)
    if change.is_append:
        write_deltalake(table, change.data, mode="append", commit_properties=properties)
    elif change.buckets is None:
        write_deltalake(table, change.data, mode="overwrite", commit_properties=properties)
    else:
        predicate = f"{PARTITION} in ({', '.join(str(int(b)) for b in change.buckets)})"
        write_deltalake(table, change.data, mode="overwrite", predicate=predicate, commit_properties=properties)


def _properties(metadata: Mapping[str, str], number: int) -> CommitProperties:
    # No retries inside deltalake: a conflict must ask the gate again first.
    return CommitProperties(
        custom_metadata=dict(metadata), max_commit_retries=0, app_transactions=[Transaction(APP_ID, number)]
    )


def decoded(path: str) -> str:
    """A path of the log as it is on disk."""
    return unquote(path)


def referred_files(root: Path, name: str) -> set[str]:
    """Every data file that some version of the table ever added, by its path on disk."""
    log = table_path(root, name) / "_delta_log"
    referred = set()
    for path in log.glob("*.json"):
        for line in path.read_text(encoding="utf-8").splitlines():
            action = json.loads(line)
            if "add" in action:
                referred.add(unquote(action["add"]["path"]))
    return referred


def remove_orphans(root: Path, name: str, keep: set[str]) -> int:
    """Delete data files (a killed writer's `*.parquet#1` too) whose path is not in `keep`. Returns how many."""
    base = table_path(root, name)
    removed = 0
    for path in sorted(p for p in base.rglob("*") if p.is_file()):
        below = path.relative_to(base)
        if below.parts[0] == "_delta_log":
            is_orphan = path.suffix != ".json"  # deltalake writes a commit under another name first
        else:
            is_orphan = below.as_posix() not in keep
        if is_orphan:
            path.unlink()
            removed += 1
    if removed:
        for folder in (base, *(p for p in base.rglob("*") if p.is_dir())):
            sync_folder(folder)
    return removed


def commit_path(root: Path, name: str, version: int) -> Path:
    return table_path(root, name) / "_delta_log" / f"{version:020}.json"


def commit_actions(root: Path, name: str, version: int) -> list[dict[str, Any]]:
    """The actions of one commit file. Raises IntegrityError when it is missing, empty or not JSON (F8)."""
    path = commit_path(root, name, version)
    try:
        actions = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    except (FileNotFoundError, ValueError):
        actions = []
    if not actions:
        raise IntegrityError(f"{name}: the commit file of version {version} is missing or damaged. The table is closed.")
    return actions


def commit_info(root: Path, name: str, version: int) -> dict[str, Any]:
    """What a commit says of itself: our metadata beside deltalake's."""
    for action in commit_actions(root, name, version):
        if "commitInfo" in action:
            info: dict[str, Any] = action["commitInfo"]
            return info
    return {}


def added_files(root: Path, name: str, version: int) -> list[FileLeaf]:
    """The data files that one version added, hashed from disk."""
    base = table_path(root, name)
    leaves = []
    for action in commit_actions(root, name, version):
        if "add" in action:
            path = base / unquote(action["add"]["path"])
            rows = json.loads(action["add"]["stats"] or "{}").get("numRecords")
            counted = pq.ParquetFile(path).metadata.num_rows if rows is None else int(rows)
            leaves.append(FileLeaf(action["add"]["path"], sha256(path), counted))
    return leaves
