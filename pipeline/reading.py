"""How readers read: at the pointer, and only what the leaves still vouch for.

In: a table's name. Out: its rows at the version that the pointer shows; no rows while it shows none. A commit file or
data file that is missing or no longer hashes to what its leaf says closes the table (F8): IntegrityError, no answer.
`findings` says the same of every table, for `hanbeon doctor`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable

from consent import journal
from hanbeon.errors import HanbeonError, IntegrityError
from lake import layout, tables
from lake.files import sha256
from pipeline.operations import RUNS, VERDICTS
from pipeline.run import Run
from pipeline.summary import RUNS_SCHEMA
from quality.verdict import VERDICTS_SCHEMA


@dataclass(frozen=True)
class Standing:
    """Where one row stands, and the leaf that pins the file which holds it."""

    table: str
    version: int  # what the pointer shows
    evidence_id: str
    lines: int
    leaf_version: int  # the version that wrote the file
    commit_sha256: str
    file: str
    file_sha256: str
    ledger_position: int
    run_id: str


def read(run: Run, name: str, schema: pa.Schema) -> pa.Table:
    """The table as readers may see it. Raises IntegrityError when it disagrees with its leaves."""
    version = journal.pointer(run.conn).get(name)
    if version is None:
        return schema.empty_table()
    wrong = next(_wrong(run, name, version), None)
    if wrong is not None:
        raise IntegrityError(f"{wrong} The table is closed to readers; run `hanbeon recover`, then `hanbeon doctor`.")
    return tables.read(run.settings.lake_root, name, schema=schema, version=version)


def runs(run: Run) -> pa.Table:
    """What each run did, as readers may see it."""
    return read(run, RUNS, RUNS_SCHEMA)


def verdicts(run: Run) -> pa.Table:
    """What the quality gate found, as readers may see it."""
    return read(run, VERDICTS, VERDICTS_SCHEMA)


def standing(run: Run, name: str, evidence_id: str) -> Standing | None:
    """Where a row stands in a table at the pointer, or None. Looks for the file that holds it, then for its leaf."""
    version = journal.pointer(run.conn).get(name)
    handle = None if version is None else tables.open_table(run.settings.lake_root, name, version)
    if version is None or handle is None:
        return None
    base = layout.table_path(run.settings.lake_root, name)
    for action in tables.active_files(handle):
        ids = (
            pq.ParquetFile(base / tables.decoded(str(action["path"])))
            .read(columns=["_evidence_id"])
            .column("_evidence_id")
        )
        lines = pc.sum(pc.equal(ids, evidence_id)).as_py() or 0
        if lines:
            leaf, file = _leaf_of(journal.leaves(run.conn, name), str(action["path"]), name)
            return Standing(
                table=name,
                version=version,
                evidence_id=evidence_id,
                lines=lines,
                leaf_version=leaf.version,
                commit_sha256=leaf.commit_sha256,
                file=file.path,
                file_sha256=file.sha256,
                ledger_position=leaf.ledger_position,
                run_id=leaf.run_id,
            )
    return None


def findings(run: Run) -> list[str]:
    """What is wrong with any table: one sentence each, empty when pointer, leaves and files agree."""
    found = []
    pointer = journal.pointer(run.conn)
    root = run.settings.lake_root
    for name, version in sorted(pointer.items()):
        try:
            found += list(_wrong(run, name, version))
            newest = tables.version(root, name)
            leaf = journal.newest_leaf(run.conn, name)
        except HanbeonError as error:
            found.append(str(error))
            continue
        if newest is not None and leaf is not None and newest != leaf.version:
            found.append(f"{name}: the newest version is {newest}, the newest leaf is of version {leaf.version}.")
    strange = sorted(set(layout.table_names(root)) - set(pointer)) if root.exists() else []
    return found + [f"{name}: the table has files, but no reader was ever pointed to it." for name in strange]


def _wrong(run: Run, name: str, version: int) -> Iterator[str]:
    root = run.settings.lake_root
    handle = _handle(root, name, version)
    leaves = {leaf.version: leaf for leaf in journal.leaves(run.conn, name)}
    if handle is None or version not in leaves:
        yield f"{name}: the pointer shows version {version}, which {'is missing' if handle is None else 'has no leaf'}."
        return
    commit = tables.commit_path(root, name, version)
    if not commit.exists() or sha256(commit) != leaves[version].commit_sha256:
        yield f"{name}: the commit file of version {version} is not what its leaf says."
    pinned = {
        tables.decoded(file.path): file for leaf in leaves.values() if leaf.version <= version for file in leaf.files
    }
    base = layout.table_path(root, name)
    for action in tables.active_files(handle):
        path = base / tables.decoded(str(action["path"]))
        file = pinned.get(tables.decoded(str(action["path"])))
        if file is None:
            yield f"{name}: version {version} has a data file that no leaf names."
        elif not path.exists():
            yield f"{name}: a data file of version {version} is missing."
        elif sha256(path) != file.sha256:
            yield f"{name}: a data file of version {version} is not what its leaf says."


def _handle(root: Path, name: str, version: int) -> DeltaTable | None:
    try:
        return tables.open_table(root, name, version)
    except Exception:  # deltalake has no one error for a log that cannot be read
        return None


def _leaf_of(leaves: list[journal.Leaf], path: str, name: str) -> tuple[journal.Leaf, journal.File]:
    for leaf in reversed(leaves):
        for file in leaf.files:
            if tables.decoded(file.path) == tables.decoded(path):
                return leaf, file
    raise IntegrityError(
        f"{name}: a data file that readers see has no leaf. Run `hanbeon recover`, then `hanbeon doctor`."
    )
