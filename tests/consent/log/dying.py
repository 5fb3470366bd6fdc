"""What the killed processes of the log's tests run: a publisher that dies at the n-th of its system calls."""

import os
import shutil
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import psycopg

from consent.log import entries, note
from tests.consent.log.making import add_statement, append_events, parties, publish_all
from tests.pipeline.committing import context

PLACES: tuple[tuple[Any, str], ...] = (
    (os, "fsync"),
    (os, "open"),
    (os, "close"),
    (Path, "replace"),
    (Path, "mkdir"),
    (entries, "sequence"),
    (shutil, "rmtree"),
    (note, "cosign"),
)


def publish_dying(dsn: str, home: Path, at: int) -> None:
    """Entry of a process that is killed right after the n-th call. Ends with exit code 0 if it outlives them all."""
    who = parties(home)
    left = at

    def wrapped(call: Callable[..., Any]) -> Callable[..., Any]:
        def dying(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            result = call(*args, **kwargs)
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return dying

    with psycopg.connect(dsn, autocommit=True) as conn:
        for owner, name in PLACES:
            setattr(owner, name, wrapped(getattr(owner, name)))
        publish_all(conn, who)


def publish_beside_others(dsn: str, home: Path, name: str, times: int) -> None:
    """Entry of one of several publishers: each adds and publishes, again and again."""
    who = parties(home)
    with psycopg.connect(dsn, autocommit=True) as conn:
        for n in range(times):
            append_events(conn, 3)
            add_statement(conn, f"{name} {n}", name)
            publish_all(conn, who)


def started(entry: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    process = context().Process(target=entry, args=arguments)
    process.start()
    return process
