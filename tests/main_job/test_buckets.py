"""A lake in several buckets holds what a lake in one bucket holds, after a run, a withdrawal and another run."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from consent import gate, ledger
from hanbeon import demo
from hanbeon.settings import LakeSettings
from lake import tables
from pipeline.gold import share_schema
from pipeline.publish import shares
from pipeline.run import open_run
from schemas.contract import published
from sources.simulate import world
from sources.simulate.serve import serve
from tests.main_job.conftest import FEW_SERVICES, documents_of, few_candidates, few_steps, settings_of

PEOPLE, SEED = 120, 11
VOLATILE = ("_run_id", "_pulled_at", "_key_bucket")


def content(root: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of bronze, gold and shares, without what may differ."""
    schemas: dict[str, pa.Schema] = {f"bronze/{c.dataset}": c.bronze_schema for c in documents_of(FEW_SERVICES)}
    schemas |= {f"gold/{c.name}": c.gold_schema for c in published()}
    schemas |= {f"shares/{r}/{c.name}": share_schema(c, r) for r, c in shares()}
    found = {}
    for name, schema in schemas.items():
        kept = [n for n in schema.names if n not in VOLATILE]
        found[name] = sorted(tables.read(root, name, schema=schema).select(kept).to_pylist(), key=repr)
    return found


def walk(home: Path, buckets: int) -> dict[str, list[dict[str, Any]]]:
    """Run, withdraw the first authorisation that flows, run again."""
    settings = replace(settings_of(home), lake=LakeSettings(key_buckets=buckets))
    with serve(home), open_run(settings, "first") as run:
        first = few_steps(run)
        flowing = gate.allowed(ledger.snapshot(run.conn), run.at(), "FAMR")
        ledger.withdraw(run.conn, min(flowing.column("authorisation_id").to_pylist()), run.at())
        second = few_steps(replace(run, run_id="second"))
    assert {s.verdict for s in [*first, *second]} <= {"passed", "unchanged"}
    return content(home / "lake")


def test_four_buckets_hold_what_one_bucket_holds(tmp_path: Path) -> None:
    one, four = tmp_path / "one", tmp_path / "four"
    world.build(one, PEOPLE, SEED)
    with open_run(settings_of(one), "consents") as run:
        demo.consents(run, few_candidates(one), run.at())
    shutil.copytree(one, four, symlinks=True)
    expected = walk(one, 1)
    assert walk(four, 4) == expected
    assert sum(bool(expected[f"bronze/{c.dataset}"]) for c in documents_of(FEW_SERVICES)) >= 8
    register = next(c for c in documents_of(FEW_SERVICES) if c.document_type == "FAMR")
    rows = tables.read(four / "lake", f"bronze/{register.dataset}", schema=register.bronze_schema)
    assert set(pc.unique(rows.column("_key_bucket")).to_pylist()) == {0, 1, 2, 3}
