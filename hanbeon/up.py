"""`make up`: the agencies, and Airflow's screen with its scheduler, until Ctrl-C.

In: settings. Out: an address, who logs in, and where the password lies; then it waits. Everything that it starts ends
with it: the agencies and the ledger's database through their own context managers, Airflow's processes as whole
sessions. Loopback only. Try it: `make up`, then `curl` the address that it prints.
"""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NoReturn

from hanbeon.airflow_home import ADMIN, airflow_path, ensure_password, environment, logs_path
from hanbeon.errors import DependencyDown
from hanbeon.processes import servers
from hanbeon.settings import Settings

PORT = 8080
READY_SECONDS = 180.0
SERVICES = ("api-server", "scheduler", "dag-processor", "triggerer")
MUST_BE_HEALTHY = ("metadatabase", "scheduler", "dag_processor")


def main(settings: Settings) -> int:
    """Run until Ctrl-C, SIGTERM or SIGHUP; 0 then. Raises DependencyDown when a part ends by itself."""
    from hanbeon.postgres import ledger_dsn
    from sources.simulate.serve import serve

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        with ExitStack() as stack:
            _ensure_world(settings)
            stack.enter_context(ledger_dsn(settings))
            print("한번 · Starting the agencies ...", flush=True)
            stack.enter_context(serve(settings.home_path, dsn=settings.world.dsn))
            print("한번 · Starting Airflow ... (up to a minute)", flush=True)
            running = stack.enter_context(airflow(settings, free_port(PORT)))
            _greet(settings, running.url)
            running.wait()
    except KeyboardInterrupt:
        print("한번 · Everything is stopped.", flush=True)
    return 0


def _stop(_number: int, _frame: Any) -> NoReturn:
    """The first signal stops; later ones must not interrupt the stopping."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    print("\n한번 · Stopping ...", flush=True)
    raise KeyboardInterrupt


class Airflow:
    """Airflow's processes, with a life: healthy once, then watched."""

    def __init__(self, url: str, processes: dict[str, subprocess.Popen[bytes]], settings: Settings) -> None:
        self.url = url
        self._processes = processes
        self._logs = logs_path(settings)

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_healthy():
            self.check()
            if time.monotonic() > deadline:
                raise DependencyDown(f"Airflow is not healthy after {READY_SECONDS:.0f} s. See {self._logs}.")
            time.sleep(0.5)

    def wait(self) -> NoReturn:
        while True:
            self.check()
            time.sleep(0.5)

    def check(self) -> None:
        """Raises DependencyDown naming a process that has ended, and its log."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise DependencyDown(f"Airflow's {name} ended by itself. See {self._logs / name}.log.")

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v2/monitor/health", timeout=5) as answer:  # noqa: S310
                health = json.load(answer)
        except (urllib.error.URLError, OSError, ValueError):
            return False
        return all((health.get(part) or {}).get("status") == "healthy" for part in MUST_BE_HEALTHY)


@contextmanager
def airflow(settings: Settings, port: int, services: tuple[str, ...] = SERVICES) -> Iterator[Airflow]:
    """Airflow on this port, healthy; all its processes are gone on leaving. Raises DependencyDown."""
    variables = environment(settings, port)
    airflow_path(settings).mkdir(parents=True, exist_ok=True)
    logs_path(settings).mkdir(parents=True, exist_ok=True)
    ensure_password(settings)
    _migrate(settings, variables)
    commands = {name: [sys.executable, "-m", "airflow", name] for name in services}
    with servers(commands, variables, logs_path(settings)) as processes:
        running = Airflow(f"http://127.0.0.1:{port}", processes, settings)
        running.wait_until_healthy()
        yield running


def _migrate(settings: Settings, variables: dict[str, str]) -> None:
    log_file = logs_path(settings) / "airflow-migrate.log"
    with servers(
        {"airflow-migrate": [sys.executable, "-m", "airflow", "db", "migrate"]}, variables, log_file.parent
    ) as p:
        if p["airflow-migrate"].wait() != 0:
            raise DependencyDown(f"Airflow's database could not be made or upgraded. See {log_file}.")


def free_port(wanted: int = 0) -> int:
    """`wanted` if nobody listens there, else one that is free now."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DependencyDown("No port is free on 127.0.0.1.")


def _ensure_world(settings: Settings) -> None:
    from sources.simulate import world

    try:
        world.state(settings.home_path)
    except DependencyDown:
        print(f"한번 · Building a world of {settings.world.people:,} people ...", flush=True)
        world.build(settings.home_path, settings.world.people, settings.world.seed, settings.world.dsn)


def _greet(settings: Settings, url: str) -> None:
    print(
        f"""
  Airflow    {url}
  log in as  {ADMIN}, password in {ensure_password(settings)}
  DAGs       pull one dataset each, then standardise, publish and erase follow by themselves
  logs       {logs_path(settings)}

  Ctrl-C stops all of it.
""",
        flush=True,
    )
