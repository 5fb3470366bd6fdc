"""Run every DAG of the walk once, in asset order, in this one process; no scheduler, no server.

In: Airflow's environment (`hanbeon.airflow_home`), set before this module runs. Out: one result for each DAG.
Alone: `hanbeon run --show`, which starts this module as a program early, so that Airflow loads while the world of
agencies is built, and then says `go`. The program reads that word from its input and writes one JSON line to its output
for each step. Whatever Airflow prints goes to the log file that its argument names. When its input closes, its parent
is gone, and it ends at once.
"""

import importlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import DAG

OnProgress = Callable[[str, str, float], None]

# What the verbs load when they need it; loaded here while the process waits for its word.
HEAVY = ("pipeline.verbs", "dbt.cli.main")
RECOVER = "recover"


@dataclass(frozen=True)
class DagResult:
    """`state` is success, failed or upstream_failed; `message` is the sentence of the task that failed."""

    dag_id: str
    state: str
    seconds: float
    message: str | None = None


def prepare() -> dict[str, "DAG"]:
    """Make or upgrade Airflow's metadata database, load what a run needs, and return the DAGs by id.

    Raises RuntimeError when a DAG file does not load.
    """
    from airflow.configuration import conf
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    bag = DagBag(dag_folder=conf.get("core", "dags_folder"))
    if bag.import_errors:
        raise RuntimeError(f"These DAG files do not load: {', '.join(sorted(bag.import_errors))}.")
    for name in HEAVY:
        importlib.import_module(name)
    _parse_models()
    _warm_execution_api()
    return dict(bag.dags)


def _parse_models() -> None:
    from hanbeon.settings import load
    from pipeline.standardise import parse

    parse(load().lake_root / "staging")


def _warm_execution_api() -> None:
    """The first request to the API that tasks talk to costs seconds; let it be this one."""
    import httpx
    from airflow.sdk.execution_time.supervisor import in_process_api_server

    with httpx.Client(transport=in_process_api_server().transport, base_url="http://in-process.invalid") as client:
        client.get("/health")


def run_all(on_progress: OnProgress, dags: Mapping[str, "DAG"] | None = None) -> list[DagResult]:
    """Run the walk, recovery first, and every DAG whose turn comes; the others are `upstream_failed`."""
    dags = prepare() if dags is None else dags
    feeders = _feeders(dags)
    results: dict[str, DagResult] = {}
    for dag_id in (RECOVER, *TopologicalSorter(feeders).static_order()):
        if _has_its_turn(dags[dag_id], feeders.get(dag_id, []), results):
            on_progress(dag_id, "running", 0.0)
            results[dag_id] = _run(dags[dag_id])
        else:
            results[dag_id] = DagResult(dag_id, "upstream_failed", 0.0)
        on_progress(dag_id, results[dag_id].state, results[dag_id].seconds)
    return list(results.values())


def _has_its_turn(dag: "DAG", feeders: list[str], results: Mapping[str, DagResult]) -> bool:
    """Nothing runs when recovery failed (F8). One success among those that feed a DAG is enough, as with assets.
    Erasing waits for nobody (P7)."""
    if RECOVER in results and results[RECOVER].state != "success":
        return False
    return not feeders or "erase" in dag.tags or any(results[f].state == "success" for f in feeders)


def _feeders(dags: Mapping[str, "DAG"]) -> dict[str, list[str]]:
    """For each DAG of the asset chain, the DAGs whose assets start it. One that only the clock starts is not in it."""
    makers: dict[Any, str] = {}
    for dag_id, dag in dags.items():
        makers |= {outlet: dag_id for task in dag.tasks for outlet in task.outlets}
    chain: dict[str, list[str]] = {dag_id: [] for dag_id in makers.values()}
    for dag_id, dag in dags.items():
        condition = getattr(dag.timetable, "asset_condition", None)
        if condition is not None:
            chain[dag_id] = [makers[asset] for asset in condition.objects]
    return chain


def _run(dag: "DAG") -> DagResult:
    """One `dag.test()`. No retries: whoever watches types the command again."""
    said: list[str] = []
    for task in dag.tasks:
        task.retries = 0
        task.on_failure_callback = [lambda context: said.append(str(context.get("exception")))]
    started = time.monotonic()
    run = dag.test()
    if run.state == "success":
        _take_over(run)
    return DagResult(dag.dag_id, str(run.state), time.monotonic() - started, said[0] if said else None)


def _take_over(run: Any) -> None:
    """Note the asset events that this run answered, as the scheduler would; else it would answer them again."""
    from airflow.models.asset import AssetEvent, AssetPartitionDagRun, PartitionedAssetKeyLog
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        own = session.get_one(DagRun, run.id)
        waiting = session.scalars(
            select(AssetPartitionDagRun).where(
                AssetPartitionDagRun.target_dag_id == run.dag_id, AssetPartitionDagRun.created_dag_run_id.is_(None)
            )
        )
        for each in waiting.all():
            events = select(AssetEvent).join(
                PartitionedAssetKeyLog, PartitionedAssetKeyLog.asset_event_id == AssetEvent.id
            )
            own.consumed_asset_events.extend(
                session.scalars(events.where(PartitionedAssetKeyLog.asset_partition_dag_run_id == each.id))
            )
            each.created_dag_run_id = run.id


def main(log_file: str) -> None:
    """Prepare, then run and report each time that `go` is said, until the parent is gone."""
    output = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    go = threading.Event()
    threading.Thread(target=_listen, args=(go,), daemon=True).start()

    def say(**line: Any) -> None:
        output.write(json.dumps(line) + "\n")

    dags = prepare()
    say(step="prepared")
    while True:
        go.wait()
        go.clear()
        results = run_all(partial(_say_dag, say), dags)
        say(step="finished", results=[asdict(r) for r in results])


def _say_dag(say: Callable[..., None], dag_id: str, state: str, seconds: float) -> None:
    say(step="dag", dag_id=dag_id, state=state, seconds=seconds)


def _listen(go: threading.Event) -> None:
    for line in sys.stdin:
        if line.strip() == "go":
            go.set()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
