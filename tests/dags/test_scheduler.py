"""The walk under a real scheduler, started and stopped as `make up` does it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hanbeon.airflow_home import ADMIN, password_path
from hanbeon.settings import PROJECT, Settings
from tests.dags.conftest import environment_of, personal_values_in, survivors
from tests.dags.test_in_process import holder_down

CHAIN = ("standardise", "publish", "erase")
WELL = {"nts": "pull__nts__income"}
DOWN = "pull__mohw__disability"


class Api:
    """Airflow's own API, as its screen uses it."""

    def __init__(self, url: str, settings: Settings) -> None:
        self.url, self.token = url, ""
        password = json.loads(password_path(settings).read_text(encoding="utf-8"))[ADMIN]
        self.token = self.ask("/auth/token", "POST", {"username": ADMIN, "password": password})["access_token"]

    def ask(self, path: str, method: str = "GET", body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def runs(self) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = self.ask("/api/v2/dags/~/dagRuns?limit=100")["dag_runs"]
        return runs

    def wait_for_dags(self, *wanted: str) -> None:
        while not set(wanted) <= {dag["dag_id"] for dag in self.ask("/api/v2/dags?limit=100")["dags"]}:
            time.sleep(0.5)


@contextmanager
def make_up(settings: Settings) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`hanbeon up`, with every DAG paused until the test says otherwise. Yields the process and Airflow's address."""
    with environment_of(settings) as environment:
        process = subprocess.Popen(
            [sys.executable, "-m", "hanbeon", "up"],
            cwd=PROJECT,
            env={**environment, "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True"},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    assert process.stdout is not None
    try:
        url = ""
        for line in process.stdout:
            if line.split()[:1] == ["Airflow"]:
                url = line.split()[-1]
                break
        assert url, f"ended with {process.wait()}"
        yield process, url
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait()
        process.stdout.close()


@pytest.mark.scheduler
@pytest.mark.timeout(900)
def test_pulls_lead_through_assets_to_published_tables_and_ctrl_c_leaves_nothing(settings: Settings) -> None:
    """F29: one holder's failure holds up nobody. P8: events and Airflow's files hold no personal value."""
    with make_up(settings) as (process, url), holder_down(settings.home_path, "mohw"):
        api = Api(url, settings)
        awake = (*CHAIN, *WELL.values(), DOWN)
        api.wait_for_dags(*awake)
        for dag_id in awake:
            api.ask(f"/api/v2/dags/{dag_id}", "PATCH", {"is_paused": False})
        good: set[tuple[str, str | None]] = set()
        while not good >= {(dag_id, holder) for dag_id in CHAIN for holder in WELL}:
            runs = api.runs()
            failed = [r["dag_id"] for r in runs if r["state"] == "failed" and r["dag_id"] != DOWN]
            assert not failed
            good = {(r["dag_id"], r["partition_key"]) for r in runs if r["state"] == "success"}
            time.sleep(1)
        assert not [r for r in runs if r["dag_id"] == DOWN and r["state"] == "success"]
        assert {r["partition_key"] for r in runs if r["dag_id"] in CHAIN} == set(WELL)
        _check_events(api.ask("/api/v2/assets/events?limit=100")["asset_events"])
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 0
    assert survivors(settings.home_path) == []
    for folder in ("airflow", "logs"):
        assert personal_values_in(settings.home_path / folder, settings.home_path) == []


def _check_events(events: list[dict[str, Any]]) -> None:
    """Run id, verdict, counts and table versions; numbers and the verb's own words only (P8)."""
    assert {"hanbeon://bronze/nts/income", "hanbeon://staging/standardised", "hanbeon://gold/published"} <= {
        e["uri"] for e in events
    }
    for extra in (e["extra"] for e in events):
        assert extra["verdict"] in {"passed", "unchanged"}
        assert extra["run_id"]
        texts = {k for k, v in extra.items() if not isinstance(v, int)}
        assert texts <= {"run_id", "verb", "verdict", "from_rest_api"}
    first = next(e["extra"] for e in sorted(events, key=lambda e: e["id"]) if e["uri"] == "hanbeon://bronze/nts/income")
    assert any(k.startswith("count_") for k in first)
    assert any(k.startswith("version_") for k in first)
