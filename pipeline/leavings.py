"""What old versions still hold and the newest do not: whose files an erasure is about to purge (P4).

In: a run. Out: for each table how many rows went since its oldest file on disk, and the evidence ids that no table
holds any more. Whoever removed them, an erasure or a pull before it, their files are still there until purged, so this
can be asked again after a kill.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from consent import holds, owners
from consent.owners import owner_of_key
from lake import layout, rows, tables
from pipeline.leaf import PERSONAL
from pipeline.run import Run

Row = tuple[str, int]  # evidence id, line number


@dataclass(frozen=True)
class Leavings:
    """`removed` counts rows by table; `needles` are evidence ids that stand in no newest version any more."""

    removed: dict[str, int]
    needles: tuple[str, ...]


def leavings(run: Run) -> Leavings:
    """Compare every data file on disk with those of the newest versions."""
    before: dict[str, set[Row]] = {}
    after: dict[str, set[Row]] = {}
    for name in personal_tables(run):
        live = set(live_files(run, name))
        base = layout.table_path(run.settings.lake_root, name)
        for path in base.rglob("*.parquet"):
            held = _rows(path)
            before.setdefault(name, set()).update(held)
            if path in live:
                after.setdefault(name, set()).update(held)
    removed = {name: len(held - after.get(name, set())) for name, held in before.items()}
    still = {evidence_id for held in after.values() for evidence_id, _ in held}
    gone = {evidence_id for held in before.values() for evidence_id, _ in held} - still
    return Leavings({name: count for name, count in sorted(removed.items()) if count}, tuple(sorted(gone)))


def destroy_unheld(run: Run) -> int:
    """Destroy the secret of everybody who owns no row any more: old leaves, and sealed evidence, say nothing then."""
    held: set[bytes] = {owner_of_key(key) for key in holds.subjects_kept(run.conn, run.at())}
    for name in personal_tables(run):
        for path in live_files(run, name):
            held |= rows.owners(path)
    return owners.destroy_but(run.conn, held, run.at())


def personal_tables(run: Run) -> list[str]:
    return [n for n in layout.table_names(run.settings.lake_root) if n.partition("/")[0] in PERSONAL]


def live_files(run: Run, name: str) -> Iterator[Path]:
    """The data files of a table's newest version."""
    handle = tables.open_table(run.settings.lake_root, name)
    base = layout.table_path(run.settings.lake_root, name)
    for action in tables.active_files(handle) if handle is not None else ():
        yield base / tables.decoded(str(action["path"]))


def _rows(path: Path) -> set[Row]:
    with pq.ParquetFile(path) as file:
        names = [n for n in ("_evidence_id", "_line_no") if n in file.schema_arrow.names]
        if "_evidence_id" not in names:
            return set()
        found: pa.Table = file.read(columns=names)
    lines = found.column("_line_no").to_pylist() if "_line_no" in names else [0] * found.num_rows
    ids = found.column("_evidence_id").to_pylist()
    return {(i, n or 0) for i, n in zip(ids, lines, strict=True) if i is not None}
