"""The DAGs of the walk in one process, on a real world: `make run` without its show."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hanbeon.dag_process import dag_process
from hanbeon.errors import DependencyDown
from hanbeon.postgres import ledger_dsn
from hanbeon.settings import PROJECT, HomeSettings, Settings
from hanbeon.up import free_port
from schemas.contract import sources
from sources.simulate.serve import serve
from tests.dags.conftest import personal_values_in, survivors

PULLS = [f"pull__{c.slug}" for c in sources()]


@contextmanager
def holder_down(home: Path, holder: str) -> Iterator[None]:
    """Point a REST holder at a port where nobody answers."""
    path = home / "agencies" / "endpoints.json"
    before = path.read_text(encoding="utf-8")
    given = json.loads(before)
    given["rest"][holder]["url"] = f"http://127.0.0.1:{free_port()}"
    path.write_text(json.dumps(given), encoding="utf-8")
    yield
    path.write_text(before, encoding="utf-8")


def test_one_holder_that_is_down_holds_up_nobody_and_is_mended_by_the_next_run(settings: Settings) -> None:
    """F29, P8. In asset order, and no personal value in Airflow's files even when a task fails."""
    heard: list[tuple[str, str]] = []
    home = settings.home_path
    with ledger_dsn(settings), serve(home), dag_process(settings) as dags:
        with holder_down(home, "mohw"):
            results = dags.run(lambda dag_id, state, _seconds: heard.append((dag_id, state)))
        states = {r.dag_id: r.state for r in results}
        assert states.pop("pull__mohw__disability") == "failed"
        others = {dag: state for dag, state in states.items() if not dag.startswith("pull__mohw__")}
        assert set(others.values()) == {"success"}, results
        assert [r.dag_id for r in results] == ["recover", *PULLS, "standardise", "publish", "erase"]
        assert [d for d, state in heard if state == "running"] == [r.dag_id for r in results]
        message = next(r.message for r in results if r.state == "failed")
        assert message
        assert "mohw" in message
        again = dags.run(lambda *_: None)
        assert {r.state for r in again} == {"success"}, again
    assert personal_values_in(home / "logs", home) == []
    assert personal_values_in(home / "airflow", home) == []
    assert survivors(home) == []


def test_a_process_that_dies_is_reported_with_its_log(tmp_path: Path) -> None:
    with dag_process(Settings(home=HomeSettings(str(tmp_path)))) as dags:
        dags.process.kill()
        dags.process.wait()
        with pytest.raises(DependencyDown, match=r"dags\.log"):
            dags.run(lambda *_: None)


def test_the_dag_process_never_outlives_its_parent(tmp_path: Path) -> None:
    code = f"""
import time
from hanbeon.dag_process import dag_process
from hanbeon.settings import HomeSettings, Settings
with dag_process(Settings(home=HomeSettings({str(tmp_path)!r}))) as dags:
    print(dags.process.pid, flush=True)
    time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = parent.stdout.readline().strip()
    assert _comes_true(lambda: any(line.startswith(f"{child} ") for line in survivors(tmp_path)))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert _comes_true(lambda: survivors(tmp_path) == [])


def _comes_true(condition: Callable[[], bool]) -> bool:
    for _ in range(300):
        if condition():
            return True
        time.sleep(0.1)
    return False
