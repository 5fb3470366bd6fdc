"""What the DAG files wire, seen from outside: Airflow loads them in a process of its own and says what it found."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hanbeon.airflow_home import environment
from hanbeon.settings import PROJECT, HomeSettings, Settings
from schemas.contract import sources

PLANTED = "900101-1234567"

PROBE = """
import json, sys
from types import SimpleNamespace
from airflow.dag_processing.dagbag import DagBag
from hanbeon.settings import PROJECT

bag = DagBag(dag_folder=PROJECT / "dags")
facts = {"errors": bag.import_errors, "dags": {}, "failures": {}}
for dag_id, dag in bag.dags.items():
    timetable = dag.timetable
    condition = getattr(timetable, "asset_condition", None)
    mapper = getattr(timetable, "default_partition_mapper", None)
    facts["dags"][dag_id] = {
        "file": dag.fileloc.rsplit("/", 1)[-1],
        "starts": sorted(a.uri for a in condition.objects) if condition else [],
        "starts_on": type(condition).__name__,
        "partitions": getattr(mapper, "allowed_keys", None),
        "clock": getattr(timetable, "_expression", None) or getattr(timetable, "expression", None),
        "outlets": [o.uri for t in dag.tasks for o in t.outlets],
        "tasks": [t.task_id for t in dag.tasks],
        "retries": min(t.retries for t in dag.tasks),
        "backs_off": all(t.retry_exponential_backoff for t in dag.tasks),
        "catchup": dag.catchup,
        "at_once": dag.max_active_runs,
    }

from datetime import UTC, datetime
from dags import wiring
from hanbeon.errors import BatchRefused, DependencyDown, SourceError

at = datetime(2026, 11, 23, 4, tzinfo=UTC)
run = SimpleNamespace(dag_id="pull__nts__income", run_id="scheduled__1", run_after=at)
other = SimpleNamespace(**{**vars(run), "run_id": "scheduled__2"})
facts["run_ids"] = [wiring.run_id({"dag_run": r}) for r in (run, run, other)]

wiring.get_current_context = lambda: {"dag_run": run}
for name, error in {
    "refused": BatchRefused("3 of 4 rows failed"),
    "down": DependencyDown("the ledger does not answer"),
    "holder": SourceError("nts does not answer"),
    "stray": ValueError("duplicate key %s"),
}.items():
    def verb(run_id, error=error):
        try:
            raise KeyError("%s")
        except KeyError as cause:
            raise error from cause
    try:
        wiring.event(verb)
    except Exception as failure:
        facts["failures"][name] = {
            "type": type(failure).__name__,
            "text": str(failure),
            "cause": repr(failure.__cause__),
            "context_is_hidden": failure.__suppress_context__,
        }
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("home")
    (home / "airflow").mkdir()
    variables = environment(Settings(home=HomeSettings(str(home))))
    probe = [sys.executable, "-c", PROBE.replace("%s", PLANTED)]
    said = subprocess.run(probe, env=variables, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr[-2000:]
    found: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    return found


def test_every_dag_file_loads(facts: dict[str, Any]) -> None:
    assert facts["errors"] == {}


def test_every_source_contract_has_one_pull_dag(facts: dict[str, Any]) -> None:
    pulls = {dag_id: d for dag_id, d in facts["dags"].items() if dag_id.startswith("pull__")}
    assert set(pulls) == {f"pull__{c.slug}" for c in sources()}
    for contract in sources():
        dag = pulls[f"pull__{contract.slug}"]
        assert dag["outlets"] == [f"hanbeon://bronze/{contract.dataset}"]
        assert dag["file"] == "pull.py"


def test_the_walk_is_chained_by_assets(facts: dict[str, Any]) -> None:
    """Any one bronze asset is enough: the holders that are down hold up nobody (F29)."""
    dags = facts["dags"]
    assert dags["standardise"]["starts"] == sorted(f"hanbeon://bronze/{c.dataset}" for c in sources())
    assert dags["standardise"]["starts_on"] == "AssetAny"
    assert dags["publish"]["starts"] == dags["standardise"]["outlets"]
    assert dags["erase"]["starts"] == dags["publish"]["outlets"]


def test_the_partitions_are_the_holders(facts: dict[str, Any]) -> None:
    holders = sorted({c.holder for c in sources()})
    for name in ("standardise", "publish", "erase"):
        assert facts["dags"][name]["partitions"] == holders


def test_erasing_waits_for_nobody(facts: dict[str, Any]) -> None:
    """P7: a refused batch never delays an erasure."""
    daily = facts["dags"]["erase_daily"]
    assert daily["starts"] == []
    assert daily["tasks"] == facts["dags"]["erase"]["tasks"]


def test_every_task_is_tried_again_with_back_off(facts: dict[str, Any]) -> None:
    assert all(d["retries"] >= 2 and d["backs_off"] for d in facts["dags"].values())


def test_no_dag_fills_old_intervals_or_runs_beside_itself(facts: dict[str, Any]) -> None:
    """P5: there is nothing to fill; each run takes what is authorised now."""
    assert not any(d["catchup"] for d in facts["dags"].values())
    assert {d["at_once"] for d in facts["dags"].values()} == {1}


def test_all_tries_of_a_run_share_one_id_and_two_runs_do_not(facts: dict[str, Any]) -> None:
    """P6: a retry is the same run to the pipeline."""
    first, again, other = facts["run_ids"]
    assert first == again
    assert first.startswith("pull__nts__income.20261123T040000.")
    assert other != first


def test_only_what_a_retry_can_mend_is_tried_again(facts: dict[str, Any]) -> None:
    kinds = {name: f["type"] for name, f in facts["failures"].items()}
    assert kinds == {
        "refused": "AirflowFailException",
        "down": "AirflowException",
        "holder": "AirflowException",
        "stray": "AirflowException",
    }


def test_a_failing_task_says_no_personal_value(facts: dict[str, Any]) -> None:
    """P8, F65: neither the text of a stray error nor that of a cause reaches Airflow's log."""
    for failure in facts["failures"].values():
        assert PLANTED not in json.dumps(failure)
        assert failure["cause"] == "None"
        assert failure["context_is_hidden"]
    assert facts["failures"]["refused"]["text"] == "3 of 4 rows failed"
    assert "ValueError in" in facts["failures"]["stray"]["text"]


def test_the_dag_files_are_the_only_ones_that_airflow_parses() -> None:
    """Helpers beside them are named in .airflowignore."""
    ignored = (PROJECT / "dags" / ".airflowignore").read_text(encoding="utf-8").split()
    parsed = {p.name for p in Path(PROJECT / "dags").glob("*.py")} - set(ignored)
    assert parsed == {"pull.py", "standardise.py", "publish.py", "erase.py", "recover.py", "reconcile.py"}
