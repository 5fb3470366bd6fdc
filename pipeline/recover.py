"""At start, or when asked: finish or sweep what killed runs left, and hold every table against its leaves.

In: a `Run`. Out: a report. After it, commits and leaves match one to one, no staging file of a dead run is left, and
the pointer shows only what is pinned. Raises IntegrityError naming table and version when files and ledger disagree.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from consent import journal
from consent.journal import Leaf
from hanbeon.errors import IntegrityError
from lake import files, layout, tables
from pipeline.commit import lease, move_pointer, settle, sweep
from pipeline.run import Run
from pipeline.workspace import sweep as sweep_workspaces


@dataclass(frozen=True)
class RecoveryReport:
    tables: int
    finished: int
    orphans: int
    staging: int

    def counts(self) -> Mapping[str, int]:
        return asdict(self)


def recover(run: Run) -> RecoveryReport:
    """Every table with a leaf or a folder is settled, swept and verified."""
    root = run.settings.lake_root
    names = sorted({*journal.tables_with_leaves(run.conn), *layout.table_names(root), *_intended(run)})
    finished: list[Leaf] = []
    orphans = 0
    for name in names:
        with lease(run, name):
            finished += settle(run, name)
            orphans += sweep(run, name)
            verify_newest(run, name)
    shown = journal.pointer(run.conn)
    pinned = [leaf for name in names if (leaf := journal.newest_leaf(run.conn, name)) is not None]
    behind = [leaf for leaf in pinned if shown.get(leaf.table, -1) < leaf.version]
    if behind:
        move_pointer(run, behind)
    staging = layout.staging_path(root)
    swept = sweep_workspaces(staging, "standardise-") if staging.exists() else 0
    return RecoveryReport(len(names), len(finished), orphans, swept)


def _intended(run: Run) -> set[str]:
    return {intent.table for intent in journal.open_intents(run.conn)}


def verify_newest(run: Run, name: str) -> None:
    """Hold the data files of a table's newest version against the hashes of the leaves that added them (F8)."""
    root = run.settings.lake_root
    handle = tables.open_table(root, name)
    if handle is None:
        return
    pinned = {f.path: f.sha256 for leaf in journal.leaves(run.conn, name) for f in leaf.files}
    for active in tables.active_files(handle):
        path = layout.table_path(root, name) / tables.decoded(str(active["path"]))
        expected = pinned.get(str(active["path"]), pinned.get(tables.decoded(str(active["path"]))))
        if not path.exists():
            raise IntegrityError(f"{name} version {handle.version()}: data file {path.name} is missing. The table is closed.")
        if expected != files.sha256(path):
            raise IntegrityError(
                f"{name} version {handle.version()}: data file {path.name} was changed after it was written. "
                "The table is closed; rebuild it from its source."
            )
