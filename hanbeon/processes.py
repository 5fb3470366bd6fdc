"""Servers as child processes that never outlive us: each in a session of its own, ended as a whole.

In: a command, an environment, a log file. Out: a running process; on leaving, it and everything that it started are
gone. Airflow's workers make process groups of their own, but no sessions, so a session holds all of them.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil


@contextmanager
def servers(
    commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], logs: Path
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Start every command, output to `<logs>/<name>.log`; end them all together on leaving."""
    logs.mkdir(parents=True, exist_ok=True)
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            started[name] = start(command, environment, logs / f"{name}.log")
        yield started
    finally:
        end(list(started.values()))


def start(command: Sequence[str], environment: Mapping[str, str], log_file: Path) -> subprocess.Popen[bytes]:
    descriptor = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )


def end(processes: Sequence[subprocess.Popen[bytes]], patience_seconds: float = 15.0) -> None:
    """Ask the leaders to stop, then kill whatever is left in their sessions."""
    sessions = {p.pid for p in processes}
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + patience_seconds
    while any(p.poll() is None for p in processes) and time.monotonic() < deadline:
        time.sleep(0.1)
    while left := _members(sessions):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in processes:
            process.poll()  # reaps the leader
        time.sleep(0.05)


def _members(sessions: set[int]) -> list[int]:
    """Living processes of these sessions."""
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            if os.getsid(process.pid) in sessions and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found
