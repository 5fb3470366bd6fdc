"""The verbs as the command line and the DAGs call them: each opens what it needs, and is idempotent per run id.

`run_all` is the whole main job without Airflow, in the order in which a record walks. One dataset that fails holds up
no other (F29); the failures are in the summaries, and the caller decides what to do about them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from consent import ledger
from hanbeon.errors import HanbeonError
from hanbeon.settings import load
from pipeline import erase as erasing
from pipeline import publish as publishing
from pipeline import pull as pulling
from pipeline import reconcile as reconciling
from pipeline import recover as recovering
from pipeline import telling, timestamping
from pipeline.attest import attest
from pipeline.operations import record
from pipeline.run import Run, open_run
from pipeline.summary import Summary
from schemas.contract import Contract, sources

Progress = Callable[[str, str, float], None]


@contextmanager
def _run(run_id: str) -> Iterator[Run]:
    """Nothing flows while ledger, log and witness contradict each other (F10). What is done then may be stamped."""
    with open_run(load(), run_id) as run:
        attest(run)
        yield run
        timestamping.stamp(run)


def pull(dataset: str, run_id: str) -> Summary:
    with _run(run_id) as run:
        return pulling.pull(run, dataset)


def standardise(run_id: str) -> Summary:
    with _run(run_id) as run:
        return publishing.standardise(run)


def publish(run_id: str) -> Summary:
    with _run(run_id) as run:
        return publishing.publish(run)


def erase(run_id: str, is_now: bool = False) -> Summary:
    with _run(run_id) as run:
        return erasing.erase(run, is_now)


def recover(run_id: str) -> Summary:
    """Finish or sweep what a killed run left. Raises IntegrityError when files and ledger disagree."""
    with _run(run_id) as run:
        started_at = run.at()
        report = recovering.recover(run)
        summary = Summary(
            run_id=run_id,
            verb="recover",
            dataset=None,
            started_at=started_at,
            finished_at=run.at(),
            verdict="passed",
            ledger_position=0,
            code_hash=run.code_hash,
            counts=report.counts(),
        )
        record(run, [summary])
        return summary


def reconcile(run_id: str) -> Summary:
    """Tell again whoever did not answer, and compare signed deliveries with what pulls recorded."""
    with _run(run_id) as run:
        started_at, told = run.at(), telling.carry(run)
        found = reconciling.reconcile(run)
        summary = Summary(
            run_id=run_id,
            verb="reconcile",
            dataset=None,
            started_at=started_at,
            finished_at=run.at(),
            verdict="passed",
            ledger_position=ledger.position(run.conn),
            code_hash=run.code_hash,
            counts={"differences": len(found), **told.counts()},
        )
        record(run, [summary])
        return summary


def run_all(run_id: str, progress: Progress | None = None) -> list[Summary]:
    """The main job, with everything that it needs opened once."""
    with _run(run_id) as run:
        return run_every_step(run, progress)


def run_every_step(
    run: Run, progress: Progress | None = None, pulled: Sequence[Contract] | None = None
) -> list[Summary]:
    """Recover, pull every dataset, or those of some contracts, standardise, publish, erase.

    Raises IntegrityError when nothing may flow.
    """
    recovering.recover(run)
    steps: list[tuple[str, Callable[[], Summary]]] = [
        (f"pull {c.dataset}", partial(pulling.pull, run, c.dataset)) for c in (sources() if pulled is None else pulled)
    ]
    steps += [
        ("standardise", partial(publishing.standardise, run)),
        ("publish", partial(publishing.publish, run)),
        ("erase", partial(erasing.erase, run)),
    ]
    summaries = []
    for name, step in steps:
        began = time.monotonic()
        try:
            summary = step()
        except HanbeonError as error:
            summary = _failed(run, name, error)
        summaries.append(summary)
        if progress is not None:
            progress(name, summary.verdict, time.monotonic() - began)
    return summaries


def _failed(run: Run, name: str, error: HanbeonError) -> Summary:
    verb, _, dataset = name.partition(" ")
    return Summary(
        run_id=run.run_id,
        verb=verb,
        dataset=dataset or None,
        started_at=run.at(),
        finished_at=run.at(),
        verdict="failed",
        ledger_position=0,
        code_hash=run.code_hash,
        message=str(error),
    )
