"""F1 and P6 with a real SIGKILL: the main job is killed at a random moment, run again, and the tables are the same."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa

from consent import journal
from hanbeon import demo
from hanbeon.settings import PROJECT
from lake import layout, tables
from pipeline.run import open_run
from schemas.contract import published
from sources.simulate import world
from sources.simulate.serve import serve
from tests.main_job.conftest import FEW_SERVICES, documents_of, few_candidates, few_steps, settings_of

PEOPLE, SEED = 120, 11
# A whole run takes some ten seconds here after its imports; the kill falls anywhere in it.
LONGEST_LIFE_SECONDS = 9.0
VOLATILE = ("_run_id", "_pulled_at")


def content(root: Path) -> dict[str, list[dict[str, object]]]:
    """Every bronze and gold row, without what may differ between two runs."""
    schemas: dict[str, pa.Schema] = {f"bronze/{c.dataset}": c.bronze_schema for c in documents_of(FEW_SERVICES)}
    schemas |= {f"gold/{c.name}": c.gold_schema for c in published()}
    found = {}
    for name, schema in schemas.items():
        kept = [n for n in schema.names if n not in VOLATILE]
        rows = tables.read(root, name, schema=schema).select(kept).to_pylist()
        found[name] = sorted(rows, key=repr)
    return found


def test_f1_killed_at_a_random_moment_and_run_again_equals_an_undisturbed_run(tmp_path: Path) -> None:
    quiet, killed = tmp_path / "quiet", tmp_path / "killed"
    world.build(quiet, PEOPLE, SEED)
    with open_run(settings_of(quiet), "consents") as run:
        demo.consents(run, few_candidates(quiet), run.at())
    shutil.copytree(quiet, killed, symlinks=True)
    with serve(quiet), open_run(settings_of(quiet), "undisturbed") as run:
        few_steps(run)
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    lives = random.Random(seed)
    with serve(killed):
        for attempt in range(2):
            live_and_die(killed, f"killed-{attempt}", lives.uniform(0.0, LONGEST_LIFE_SECONDS))
        with open_run(settings_of(killed), "again") as run:
            verdicts = {s.verdict for s in few_steps(run)}
            assert verdicts <= {"passed", "unchanged"}
            assert content(killed / "lake") == content(quiet / "lake")
            for name in layout.table_names(killed / "lake"):
                versions = [leaf.version for leaf in journal.leaves(run.conn, name)]
                assert versions == list(range(len(versions)))
                assert tables.version(killed / "lake", name) == versions[-1]
            assert journal.open_intents(run.conn) == []


PROGRAM = """
import sys
import pipeline.verbs, great_expectations, dbt.cli.main  # the kill is to fall into the run, not into imports
print("ready", flush=True)
pipeline.verbs.run_all(sys.argv[1])
"""


def live_and_die(home: Path, run_id: str, seconds: float) -> None:
    environment = os.environ | {"HANBEON_HOME__PATH": str(home), "PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, run_id],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=home,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"ready"
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
