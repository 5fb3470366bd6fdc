"""A small personal table and its writers, for the tests of the write protocol; also what the killed processes run.

`Dying` wraps the steps of the protocol in this process and kills it, with SIGKILL, after the n-th of them.
"""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from consent import journal, ledger, vault
from consent.journal import PullState
from consent.model import Approval, Grant, Kind, Mode, Scope
from hanbeon.settings import HomeSettings, Settings
from lake import files, layout, tables
from pipeline import pointer, writing
from pipeline.commit import Change, Current, Leaf, Plan, commit
from pipeline.run import Run
from schemas.contract import source
from schemas.services import services
from tests.consent.making import proof

TABLE = "bronze/mois/resident_register"
OTHER = "quarantine/mois/resident_register"
BUCKETS = 2
AT = datetime(2026, 6, 1, tzinfo=UTC)
SCHEMA = pa.schema(
    [
        pa.field("_subject_key", pa.int64()),
        pa.field("_key_bucket", pa.int32()),
        pa.field("_evidence_id", pa.string()),
        pa.field("HSHLDR_NM", pa.string()),
    ]
)
COVERAGE = pa.schema([("_subject_key", pa.int64()), ("_variant", pa.string()), ("columns", pa.list_(pa.string()))])


def make_run(dsn: str, home: Path, run_id: str, at: Callable[[], datetime] = lambda: AT) -> Run:
    """A run on a database that is migrated already."""
    settings = replace(Settings(), home=HomeSettings(path=str(home)))
    conn = psycopg.connect(dsn, autocommit=True)
    return Run(run_id, settings, conn, vault.secrets(home / "keys"), at, "code")


def approve(conn: psycopg.Connection) -> None:
    contract, service = source("RRT"), next(s for s in services() if s.id == "SINGLE_PARENT")
    ledger.approve(
        conn,
        Approval(
            contract.holder,
            service.recipient,
            "RRT",
            service.purpose,
            "법 제39조",
            AT - timedelta(9),
            AT + timedelta(900),
        ),
        AT - timedelta(9),
    )


def consent(conn: psycopg.Connection, keys: Sequence[int], valid_until: datetime = AT + timedelta(90)) -> list[str]:
    """One standing consent for each subject, for the resident register."""
    contract, service = source("RRT"), next(s for s in services() if s.id == "SINGLE_PARENT")
    columns = next(r.columns for r in service.data_requirements if r.document_type == "RRT")
    return ledger.grant(
        conn,
        [
            Grant(
                kind=Kind.CONSENT,
                grantor_key=key,
                application_id=None,
                recipient=service.recipient,
                service=service.id,
                purpose=service.purpose,
                legal_basis="전자정부법 제42조",
                identifier_statute="전자정부법 시행령 제90조",
                mode=Mode.STANDING,
                valid_from=AT - timedelta(1),
                valid_until=valid_until,
                retain_until=AT + timedelta(900),
                scopes=(Scope(key, "RRT", contract.variants[0], columns, contract.holder),),
                evidence=proof(),
            )
            for key in keys
        ],
        AT,
    )


def rows(keys: Sequence[int], name: str = "홍길동") -> pa.Table:
    array = pa.array(keys, pa.int64())
    columns = [
        array,
        layout.key_bucket(array, BUCKETS),
        pa.array([f"e{k}" for k in keys]),
        pa.array([name] * len(keys)),
    ]
    return pa.table(columns, schema=SCHEMA)


def merged(current: Current, keys: Sequence[int]) -> Change | None:
    """Held and new rows, as far as the gate allows now: what a real plan does, in few lines."""
    held = current.read()
    new = rows(sorted(set(keys) - set(held.column("_subject_key").to_pylist())))
    both = pa.concat_tables([held, new])
    wanted = both.filter(
        pc.is_in(both.column("_subject_key"), value_set=pc.unique(current.allowed.column("_subject_key")))
    )
    if wanted.sort_by("_subject_key").equals(held.sort_by("_subject_key")):
        return None
    return Change(wanted.sort_by("_subject_key"), tuple(range(BUCKETS)))


def plan(keys: Sequence[int], table: str = TABLE, also: PullState | None = None) -> Plan:
    return Plan(table, SCHEMA, lambda current: merged(current, keys), partitioned=True, also=also)


def pull_state(position: int, watermark: str = "w1") -> PullState:
    coverage = pa.table([[1], ["head_only"], [["STDG_CD"]]], schema=COVERAGE)
    return PullState("mois/resident_register", watermark, position, coverage)


def held(run: Run, table: str = TABLE) -> list[int]:
    found = tables.read(run.settings.lake_root, table, schema=SCHEMA)
    return sorted(found.column("_subject_key").to_pylist())


def pull(run: Run, keys: Sequence[int]) -> list[Leaf]:
    """Two tables in one commit, as a real pull does it; the pull state goes with the second."""
    state = pull_state(ledger.position(run.conn))
    return commit(run, [plan(keys[:1], OTHER), plan(keys, TABLE, also=state)], {"contract": "RRT"})


class Dying:
    """Kills this process right after the n-th step of the protocol, or the n-th of one name."""

    STEPS: tuple[tuple[Any, str], ...] = (
        (journal, "open_intent"),
        (writing, "plan_intent"),
        (tables, "create"),
        (tables, "write"),
        (files, "sync_files"),
        (journal, "record_leaf"),
        (pointer, "attest"),
        (journal, "move_pointer"),
        (files, "write_durably"),
    )

    def __init__(self, at: int, only: str | None = None) -> None:
        self.left = at
        for module, name in self.STEPS:
            if only in (None, name):
                setattr(module, name, self._wrapped(getattr(module, name)))

    def _wrapped(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def dying(*args: Any, **kwargs: Any) -> Any:
            result = step(*args, **kwargs)
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return dying


def pull_dying(dsn: str, home: Path, keys: Sequence[int], at: int, only: str | None = None) -> None:
    """Entry of a process that is killed after a step. Ends with exit code 0 if it outlives them all."""
    Dying(at, only)
    pull(make_run(dsn, home, "pull-1"), keys)


def pull_for_ever(dsn: str, home: Path, start: int) -> None:
    """Entry of a process that is killed from outside: one more subject with every commit."""
    run = make_run(dsn, home, f"pull-{start}")
    for key in range(start, start + 10_000):
        consent(run.conn, [key])
        pull(run, [start, key])


def pull_one(dsn: str, home: Path, key: int) -> None:
    """Entry of one of several writers on one table."""
    commit(make_run(dsn, home, f"pull-{key}"), [plan([key])], {})


def append_once(dsn: str, home: Path, key: int) -> None:
    """Entry of one of several tries of one step that is not repeatable by itself."""
    run = make_run(dsn, home, "same-run")
    change = Change(rows([key]), None, is_append=True)
    leaves = commit(run, [Plan(TABLE, SCHEMA, lambda _: change, partitioned=True)], {}, step="append")
    assert [leaf.version for leaf in leaves] == [1]


_PRELOAD = ["tests.pipeline.warm"]


def context() -> ForkServerContext:
    """Processes that start in milliseconds: forked from a server that has imported everything and run nothing."""
    forkserver = multiprocessing.get_context("forkserver")
    forkserver.set_forkserver_preload(_PRELOAD)
    return forkserver


@contextmanager
def process(entry: Callable[..., None], *arguments: Any) -> Iterator[ForkServerProcess]:
    """A process of its own; killed when the test is over."""
    started = context().Process(target=entry, args=arguments)
    started.start()
    try:
        yield started
    finally:
        started.kill()
        started.join()


def wait_alone(conn: psycopg.Connection) -> None:
    """Until the server has noticed that a killed client is gone."""
    for _ in range(500):
        row = conn.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        ).fetchone()
        if row == (0,):
            return
        time.sleep(0.01)
    raise AssertionError("A session of a killed process is still there.")
