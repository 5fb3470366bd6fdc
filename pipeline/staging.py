"""Where standardised tables wait for publication: Parquet under the lake's staging folder, removed once published.

What waits holds personal rows, so it lies under the lake's root, is scanned like everything else there, and never
outlives the publication or the next standardisation. Nothing waits: there is nothing to publish.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lake.files import sync_files
from pipeline.run import Run
from schemas.contract import published

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Staged:
    """Gold tables by name; the subjects that were recomputed, by document type; what it was computed from."""

    tables: Mapping[str, pa.Table]
    recomputed: Mapping[str, pa.Table]
    context_digest: str


def folder(run: Run) -> Path:
    return run.settings.lake_root / "staging" / "standardised"


def write(run: Run, staged: Staged) -> None:
    """Replace what waits. The manifest comes last, so that a killed writer leaves nothing to publish."""
    discard(run)
    path = folder(run)
    path.mkdir(parents=True)
    for name, table in staged.tables.items():
        pq.write_table(table, path / f"{name}.parquet")
    for document_type, keys in staged.recomputed.items():
        pq.write_table(keys, path / f"recomputed-{document_type}.parquet")
    manifest = {"context_digest": staged.context_digest, "document_types": sorted(staged.recomputed)}
    (path / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    sync_files(sorted(path.iterdir()), path)


def read(run: Run) -> Staged | None:
    """What waits for publication, or None."""
    path = folder(run)
    if not (path / MANIFEST).exists():
        return None
    manifest: dict[str, Any] = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    return Staged(
        {c.name: pq.read_table(path / f"{c.name}.parquet", schema=c.gold_schema) for c in published()},
        {d: pq.read_table(path / f"recomputed-{d}.parquet") for d in manifest["document_types"]},
        manifest["context_digest"],
    )


def discard(run: Run) -> None:
    shutil.rmtree(folder(run), ignore_errors=True)
