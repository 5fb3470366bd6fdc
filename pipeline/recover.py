"""At start, or when asked: finish or sweep what killed runs left, and hold every table against its leaves.

In: a `Run`. Out: a report. After it, commits and leaves match one to one, no staging file of a dead run is left, and
the pointer shows every commit call that came to its end. A call that died between two tables stays unseen until its
rerun. A table that somebody writes at this moment is passed over: its writer settles it. Raises IntegrityError naming
table and version when files and ledger disagree (F8), and before all else naming the first bad index when the ledger's
database contradicts the witnessed log (F10).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from consent import journal
from lake import erase, layout, verify
from pipeline.attest import need_no_contradiction
from pipeline.lease import lease_if_free
from pipeline.pointer import move_pointer
from pipeline.purging import finish_erasures
from pipeline.run import Run
from pipeline.settle import settle
from pipeline.workspace import sweep as sweep_workspaces


@dataclass(frozen=True)
class RecoveryReport:
    """Tables looked at, commits that got their leaf, files without a version, dead workspaces, tables in use.

    `erasures` were begun by a process that died, and are ended now.
    """

    tables: int
    finished: int
    orphans: int
    staging: int
    busy: int
    erasures: int = 0

    def counts(self) -> Mapping[str, int]:
        return asdict(self)


def recover(run: Run) -> RecoveryReport:
    """Every table with an intent, a leaf or a folder is settled, swept and verified."""
    need_no_contradiction(run)
    root = run.settings.lake_root
    intended = {intent.table for intent in journal.open_intents(run.conn)}
    names = sorted({*journal.tables_with_leaves(run.conn), *layout.table_names(root), *intended})
    finished = orphans = busy = 0
    for name in names:
        with lease_if_free(run, name) as is_held:
            if not is_held:
                busy += 1
                continue
            finished += len(settle(run, name))
            orphans += erase.sweep(root, name)
            verify.verify_table(root, name, journal.leaves(run.conn, name))
    if names:
        move_pointer(run, journal.showable(run.conn))
    staging = layout.staging_path(root)
    swept = sweep_workspaces(staging, "standardise-") if staging.exists() else 0
    return RecoveryReport(len(names), finished, orphans, swept, busy, len(finish_erasures(run)))
