"""Take away for good what the newest versions no longer hold, look whether anything is left, and certify it (P4).

In: what the tables lost. Out: data files gone, the secrets of who owns no row any more destroyed, a byte scan that
found nothing, a signed certificate, rows of `ops/erasures`. What is about to go is remembered before it goes, so that
a kill at any instruction is made good by the next erasure or recovery (F1).
"""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from consent import dead_rows, erasures, holds, ledger
from consent.erasures import Erasure, Loss
from hanbeon.errors import IntegrityError
from lake import erase as lake_erase
from lake import layout, tables
from pipeline import home_scan
from pipeline.attest import attest
from pipeline.certificate import Went, certify
from pipeline.commit import commit, purge_tables
from pipeline.forgetting import forget
from pipeline.holding import keep, release
from pipeline.home_scan import Finding, Looked
from pipeline.identifying import take
from pipeline.leavings import destroy_unheld, leavings, personal_tables
from pipeline.operations import append_plan
from pipeline.residue import Residue
from pipeline.run import Run
from pipeline.telling import queue_certificate

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
    """What an erasure came to. `certificate` is its number, or None where nothing of a person went.

    Where `findings` name a file that somebody has to remove, it is not done, and waits for the next `erase --now`.
    """

    losses: tuple[Loss, ...]
    tables_purged: int
    files_removed: int
    certificate: int | None
    findings: tuple[Finding, ...] = ()
    forgotten: int | None = 0  # None: somebody else was at work


def finish_erasures(run: Run, is_now: bool = False) -> list[Done]:
    """End what erasures that died had begun; with `is_now` also those that wait for a file to be removed."""
    with erasures.alone(run.conn):
        return [take_away(run, one) for one in erasures.unfinished(run.conn, run.secrets, is_now)]


def begin(run: Run, residue: Residue, is_now: bool = False) -> Erasure:
    """What is about to go for good, remembered before it goes."""
    found = leavings(run)
    root = run.settings.lake_root
    narrowed = {table: loss.narrowed for table, loss in residue.losses.items() if loss.narrowed}
    losses = [
        Loss(table, tables.version(root, table) or 0, found.removed.get(table, 0), narrowed.get(table, 0))
        for table in sorted({*found.removed, *narrowed})
    ]
    position = ledger.position(run.conn)
    values = take(run, found.needles) if is_now else None
    return erasures.begin(run.conn, run.secrets, run.run_id, position, losses, found.needles, run.at(), values)


def take_away(run: Run, erasure: Erasure) -> Done:
    """Purge, look whether anything is left, certify. Said again after a kill, it ends what was begun."""
    root = run.settings.lake_root
    keep(run)
    ended = release(run)
    before = _data_files(root)
    purged = purge_tables(run, [name for name in personal_tables(run) if _has_files(run, name)])
    removed = before - _data_files(root)
    looked = _look(run, erasure)
    went = _went(run, erasure, removed)
    if erasure.values is not None:
        looked = home_scan.scan(run, erasure)
    number = None
    if looked.findings:
        erasures.found(run.conn, erasure.number, run.at())
        return Done(erasure.losses, len(purged), removed, None, looked.findings, went.persons)
    if erasure.losses or went.persons or ended:
        number = certify(run, erasure, looked, went, len(ended))
        holds.certified(run.conn, ended, number)
        queue_certificate(run, number, [loss.table for loss in erasure.losses])
        _list(run, erasure)
    erasures.finish(run.conn, erasure.number, number, run.at())
    if erasure.values is not None:
        erasures.clear_up_to(run.conn, erasure.number, run.at())
        dead_rows.clear(run.conn, not run.settings.ledger.dsn, ("erasures",))
    attest(run)
    return Done(erasure.losses, len(purged), removed, number, (), went.persons)


def _look(run: Run, erasure: Erasure) -> Looked:
    """Nothing below the lake's root may hold one of the ids. Raises IntegrityError when a file does."""
    root = run.settings.lake_root
    findings = lake_erase.scan(root, erasure.needles)
    if findings:
        raise IntegrityError(
            f"{len(findings)} files still hold erased evidence, the first is {findings[0].path}. Run "
            "`hanbeon recover`, then erase again; until then the erasure is not done."
        )
    files = [path.stat().st_size for path in root.rglob("*") if path.is_file()]
    return Looked(len(erasure.needles), len(files), sum(files), ())


def _went(run: Run, erasure: Erasure, files: int) -> Went:
    """What goes beside rows, with what earlier attempts of this erasure took already."""
    secrets, persons = destroy_unheld(run), forget(run)
    files, secrets, before = erasures.add_up(run.conn, erasure.number, [files, secrets, persons or 0])
    return Went(files, secrets, None if persons is None else before, _clear(run, erasure))


def _clear(run: Run, erasure: Erasure) -> int:
    return dead_rows.clear(run.conn, not run.settings.ledger.dsn) if erasure.values is not None else 0


def _data_files(root: Path) -> int:
    return sum(1 for _ in root.rglob("*.parquet"))


def _has_files(run: Run, name: str) -> bool:
    return any(layout.table_path(run.settings.lake_root, name).rglob("*.parquet"))


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
