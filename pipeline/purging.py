"""Take away for good what the newest versions no longer hold, look whether anything is left, and certify it (P4).

In: what the tables lost. Out: data files gone, the secrets of who owns no row any more destroyed, a byte scan that
found nothing, a signed certificate, rows of `ops/erasures`. What is about to go is remembered before it goes, so that
a kill at any instruction is made good by the next erasure or recovery (F1).
"""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from consent import erasures, ledger
from consent.erasures import Erasure, Loss
from hanbeon.errors import IntegrityError
from lake import erase as lake_erase
from lake import tables
from pipeline.attest import attest
from pipeline.certificate import Looked, Went, certify
from pipeline.commit import commit, purge_tables
from pipeline.forgetting import forget
from pipeline.leavings import destroy_unheld, leavings, personal_tables
from pipeline.operations import append_plan
from pipeline.residue import Residue
from pipeline.run import Run

ERASURES = "ops/erasures"
ERASURES_SCHEMA = pa.schema(
    [
        pa.field("run_id", pa.string()),
        pa.field("table", pa.string()),
        pa.field("erased_at", pa.timestamp("us", tz="UTC")),
        pa.field("ledger_position", pa.int64()),
        pa.field("rows_removed", pa.int64()),
        pa.field("rows_narrowed", pa.int64()),
        pa.field("version", pa.int64()),
        pa.field("needles", pa.int64()),
        pa.field("residue", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Done:
    """What an erasure came to. `certificate` is its number, or None where nothing of a person went."""

    losses: tuple[Loss, ...]
    tables_purged: int
    files_removed: int
    certificate: int | None


def finish_erasures(run: Run) -> int:
    """End what erasures that died had begun; how many."""
    with erasures.alone(run.conn):
        died = erasures.unfinished(run.conn, run.secrets)
        for one in died:
            take_away(run, one)
    return len(died)


def begin(run: Run, residue: Residue) -> Erasure:
    """What is about to go for good, remembered before it goes."""
    found = leavings(run)
    root = run.settings.lake_root
    narrowed = {table: loss.narrowed for table, loss in residue.losses.items() if loss.narrowed}
    losses = [
        Loss(table, tables.version(root, table) or 0, found.removed.get(table, 0), narrowed.get(table, 0))
        for table in sorted({*found.removed, *narrowed})
    ]
    position = ledger.position(run.conn)
    return erasures.begin(run.conn, run.secrets, run.run_id, position, losses, found.needles, run.at())


def take_away(run: Run, erasure: Erasure) -> Done:
    """Purge, look whether anything is left, certify. Said again after a kill, it ends what was begun."""
    root = run.settings.lake_root
    names = personal_tables(run)
    before = _data_files(root)
    purged = purge_tables(run, names)
    removed = before - _data_files(root)
    findings = lake_erase.scan(root, erasure.needles)
    if findings:
        raise IntegrityError(
            f"{len(findings)} files still hold erased evidence, the first is {findings[0].path}. Run "
            "`hanbeon recover`, then erase again; until then the erasure is not done."
        )
    destroyed = destroy_unheld(run)
    forgotten = forget(run)
    number = None
    if erasure.losses or forgotten:
        files = [path.stat().st_size for path in root.rglob("*") if path.is_file()]
        looked = Looked(len(erasure.needles), len(files), sum(files), 0)
        number = certify(run, erasure, looked, Went(removed, destroyed, forgotten))
        _list(run, erasure)
    erasures.finish(run.conn, erasure.number, number, run.at())
    attest(run)
    return Done(erasure.losses, len(purged), removed, number)


def _data_files(root: Path) -> int:
    return sum(1 for _ in root.rglob("*.parquet"))


def _list(run: Run, erasure: Erasure) -> None:
    """Append what each table lost, and that nothing of it was found, to `ops/erasures`."""
    rows = [
        {
            "run_id": erasure.run_id,
            "table": loss.table,
            "erased_at": run.at(),
            "ledger_position": erasure.ledger_position,
            "rows_removed": loss.removed,
            "rows_narrowed": loss.narrowed,
            "version": loss.version,
            "needles": len(erasure.needles),
            "residue": 0,
        }
        for loss in erasure.losses
    ]
    plan = append_plan(ERASURES, pa.Table.from_pylist(rows, schema=ERASURES_SCHEMA), ("run_id", "table", "version"))
    commit(run, [plan], {"verb": "erase"})
