"""Where standardised tables wait for publication: Parquet under the lake's staging folder, removed once published.

What waits holds personal rows, so it lies under the lake's root, is scanned like everything else there, and never
outlives the publication, the next standardisation or an erasure. Nothing waits: there is nothing to publish.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lake.files import sync_files, sync_folder
from pipeline.run import Run
from schemas.contract import marts

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Staged:
    """Gold tables by name; the subjects that were recomputed, by document type; what it was computed from."""

    tables: Mapping[str, pa.Table]
    recomputed: Mapping[str, pa.Table]
    context_digest: str
    ledger_position: int


def folder(run: Run) -> Path:
    return run.settings.lake_root / "staging" / "standardised"


def write(run: Run, staged: Staged) -> None:
    """Replace what waits. The manifest comes last, so that a killed writer leaves nothing to publish."""
    discard(run)
    path = folder(run)
    path.mkdir(parents=True, exist_ok=True)
    own = Path(tempfile.mkdtemp(dir=path))
    for name, table in _files(staged).items():
        pq.write_table(table, own / f"{name}.parquet")
    manifest = {
        "folder": own.name,
        "document_types": sorted(staged.recomputed),
        "context_digest": staged.context_digest,
        "ledger_position": staged.ledger_position,
    }
    (own / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    sync_files(sorted(own.iterdir()), path)
    os.replace(own / MANIFEST, path / MANIFEST)
    sync_folder(path)


def _files(staged: Staged) -> dict[str, pa.Table]:
    recomputed = {f"recomputed-{document_type}": keys for document_type, keys in staged.recomputed.items()}
    return {**staged.tables, **recomputed}


def read(run: Run) -> Staged | None:
    """What waits for publication, from one standardisation; None where nothing waits, or an erasure removes it."""
    path = folder(run)
    try:
        manifest: dict[str, Any] = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        own = path / manifest["folder"]
        return Staged(
            {c.name: pq.read_table(own / f"{c.name}.parquet", schema=c.gold_schema) for c in marts()},
            {d: pq.read_table(own / f"recomputed-{d}.parquet") for d in manifest["document_types"]},
            manifest["context_digest"],
            manifest["ledger_position"],
        )
    except FileNotFoundError:
        return None


def discard(run: Run) -> None:
    """Remove what waits, the manifest first: what is half removed is not published."""
    (folder(run) / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder(run), ignore_errors=True)
