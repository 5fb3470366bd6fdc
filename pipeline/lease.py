"""The right to write a table: a PostgreSQL advisory lock of the writer's session, so it dies with the writer's process.

In: a run and table names. Out: context managers. Several leases are taken in one order, so that no two writers wait
for each other.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import psycopg

from hanbeon.errors import DependencyDown
from pipeline.run import Run

LEASE_SECONDS = 600.0
POLL_SECONDS = 0.02
LEASE_CLASS = 0x68616E62


@contextmanager
def lease(run: Run, name: str, seconds: float = LEASE_SECONDS) -> Iterator[None]:
    """Hold a table alone. Raises DependencyDown when another writer keeps it for longer than `seconds`."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big", signed=True)
    deadline = time.monotonic() + seconds
    while not _try_lock(run.conn, key):
        if time.monotonic() >= deadline:
            raise DependencyDown(f"{name} has been busy for {seconds:.0f} s. See who writes it, then run again.")
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        if not run.conn.closed:
            run.conn.execute("select pg_advisory_unlock(%s, %s)", [LEASE_CLASS, key])


@contextmanager
def leases(run: Run, names: Sequence[str]) -> Iterator[None]:
    """Hold several tables alone, all or none."""
    with ExitStack() as stack:
        for name in sorted(set(names)):
            stack.enter_context(lease(run, name))
        yield


@contextmanager
def lease_if_free(run: Run, name: str, seconds: float = 0.5) -> Iterator[bool]:
    """Hold a table if nobody writes it; yields whether it is held. Waits for a dead writer's session to end."""
    with ExitStack() as stack:
        try:
            stack.enter_context(lease(run, name, seconds))
            is_held = True
        except DependencyDown:
            is_held = False
        yield is_held


def _try_lock(conn: psycopg.Connection, key: int) -> bool:
    row = conn.execute("select pg_try_advisory_lock(%s, %s)", [LEASE_CLASS, key]).fetchone()
    return bool(row and row[0])
