"""The write protocol: the only way in which the lake changes (docs/pipeline.md).

    leaves = commit(run, [Plan("bronze/mois/resident_register", schema, compute, partitioned=True)], metadata)

Under the writer leases of all tables of the call: an intent for each; for each the gate at the newest ledger position,
and `compute` says what the table should become; if the gate's answer is no longer the newest, both again; one Delta
commit through the very handle that was read; files and folders synced; a leaf with their hashes. Then, once for all
plans, the signed checkpoint over the leaves, and the pointer. A plan that changes nothing writes nothing. A call that
fails moves no pointer.

A killed writer's intent is finished or swept by whoever takes the lease next (`pipeline.settle`), so nothing is
half-done. Computing must be repeatable: a rerun asks again what the table should become, and finds that it is. Where
it is not, name the `step`: what a step of a run has written once is not computed again (F4).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import psycopg
from deltalake.exceptions import CommitFailedError

from consent import journal, ledger
from consent.journal import Call, Leaf
from consent.log import newest
from hanbeon.errors import DependencyDown, IntegrityError, UsageError
from lake import erase, tables, verify
from pipeline import writing
from pipeline.asking import Asking
from pipeline.lease import leases
from pipeline.plan import Change, Compute, Current, Plan
from pipeline.pointer import move_pointer
from pipeline.run import Run
from pipeline.settle import settle

__all__ = ["Change", "Compute", "Current", "Leaf", "Plan", "commit", "purge_tables"]

ATTEMPTS = 8
PATIENT_ATTEMPTS = 3  # afterwards a ledger that only lets more through is not waited for


def commit(run: Run, plans: Sequence[Plan], metadata: Mapping[str, str], step: str | None = None) -> list[Leaf]:
    """Bring every plan's table to what it should be; the leaves of those that changed (with `step`: or had changed).

    Raises DependencyDown when disk or database fail (F3: nothing is half-published), IntegrityError when files and
    ledger disagree (F8), ContractError when a table has columns that its plan has not.
    """
    names = [plan.table for plan in plans]
    if len(set(names)) < len(names) or set(metadata) & set(writing.OWN_METADATA):
        raise UsageError(f"A commit names each table once; its metadata none of {', '.join(writing.OWN_METADATA)}.")
    with _failing_as_one_family(), leases(run, names):
        for name in names:
            settle(run, name)
        written = _commit_all(run, plans, metadata, step)
        _show(run, names)
    return written


def purge_tables(run: Run, names: Sequence[str]) -> list[str]:
    """Remove every data file that the newest version does not use: old versions keep no rows. Those that lost any.

    The pointer moves first: no reader is left at a version whose files go.
    """
    with _failing_as_one_family(), leases(run, names):
        for name in names:
            settle(run, name)
        _show(run, names)
        return [name for name in names if erase.purge(run.settings.lake_root, name)]


def _commit_all(run: Run, plans: Sequence[Plan], metadata: Mapping[str, str], step: str | None) -> list[Leaf]:
    """Every intent stands before the first commit, so that recovery knows what belongs together."""
    before = newest(run.settings.log_path)
    root = None if before is None else before.root.hex()
    call = Call(uuid4().hex, run.run_id, step, run.code_hash, ledger.position(run.conn), root)
    done = {p.table: journal.leaf_of_step(run.conn, run.run_id, step, p.table) for p in plans} if step else {}
    to_do = [plan for plan in plans if done.get(plan.table) is None]
    with run.conn.transaction():
        intents = {plan.table: _open_intent(run, call, plan) for plan in to_do}
    asking = Asking(run)
    written = []
    for plan in plans:
        leaf = done.get(plan.table) or _commit_one(run, plan, call, intents[plan.table], metadata, asking)
        if leaf is not None:
            written.append(leaf)
    return written


def _open_intent(run: Run, call: Call, plan: Plan) -> int:
    version = tables.version(run.settings.lake_root, plan.table)
    known = -1 if version is None else version
    return journal.open_intent(run.conn, call, plan.table, known, plan.also, plan.delivery)


def _commit_one(
    run: Run, plan: Plan, call: Call, intent_id: int, metadata: Mapping[str, str], asking: Asking
) -> Leaf | None:
    """Steps 3 to 5 for one table; None when it already is what it should be."""
    root = run.settings.lake_root
    if not tables.exists(root, plan.table):
        asking.begin()
        own = replace(call, step=None, ledger_position=asking.position)
        writing.create(run, plan, journal.open_intent(run.conn, own, plan.table, -1, None), metadata, asking)
    for attempt in range(ATTEMPTS):
        asking.begin()
        handle = tables.open_table(root, plan.table)
        if handle is None:
            raise IntegrityError(f"{plan.table} vanished while it was written. Run `hanbeon recover`.")
        change = plan.compute(Current(plan.table, int(handle.version()), plan.schema, handle, asking))
        if asking.is_late() and (attempt < PATIENT_ATTEMPTS or asking.takes_away()):
            continue
        if change is None:
            journal.close_intent(run.conn, intent_id, "unchanged")
            return None
        try:
            return writing.write(run, plan, handle, change, intent_id, metadata, asking)
        except CommitFailedError:
            verify.verify_newest_commit(root, plan.table, journal.newest_leaf(run.conn, plan.table))
            time.sleep(0.02 * 2**attempt)
    journal.close_intent(run.conn, intent_id, "swept")
    raise DependencyDown(
        f"{plan.table}: ledger or table moved {ATTEMPTS} times during one commit. Nothing was written; run again."
    )


def _show(run: Run, names: Sequence[str]) -> None:
    newest = {name: tables.version(run.settings.lake_root, name) for name in names}
    move_pointer(run, {name: version for name, version in newest.items() if version is not None})


@contextmanager
def _failing_as_one_family() -> Iterator[None]:
    """What the database or the disk says becomes one sentence (F3)."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise DependencyDown(
            "The ledger's database went away during a commit. What was not pinned counts for nothing; see to the "
            "database, then run again."
        ) from error
    except OSError as error:
        raise DependencyDown(
            f"The lake's disk failed during a commit ({type(error).__name__}). What was not pinned counts for nothing; "
            "see to disk space and rights, then run again."
        ) from error
