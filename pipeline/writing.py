"""One Delta commit of the write protocol: planned in the intent, made through the handle that was read, pinned.

In: a plan, its change and its intent. Out: the leaf. A write that fails removes its own files and says so in one
sentence (F3). Only under the lease of the table.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError

from consent.journal import Leaf, plan_intent
from hanbeon.errors import ContractError, DependencyDown, UsageError
from lake import erase, tables
from lake.layout import PARTITION
from pipeline.asking import Asking
from pipeline.plan import Change, Plan
from pipeline.run import Run
from pipeline.settle import pin

OWN_METADATA = ("run_id", "intent_id", "ledger_position", "gate_at", "authorisation_digest", "code", "consented_as")


def create(run: Run, plan: Plan, intent_id: int, metadata: Mapping[str, str], asking: Asking) -> Leaf:
    """Version 0, without rows."""
    plan_intent(run.conn, intent_id, 0, 1, "", asking.position)
    about = _about(run, plan, intent_id, asking, "", metadata)
    with _failing_closed(run, plan.table):
        tables.create(run.settings.lake_root, plan.table, plan.schema, plan.partitioned, about, 1)
    return pin(run, intent_id, 0)


def write(
    run: Run,
    plan: Plan,
    handle: DeltaTable,
    change: Change,
    intent_id: int,
    metadata: Mapping[str, str],
    asking: Asking,
) -> Leaf:
    """The next version. Raises CommitFailedError when somebody else made it first; then nothing of ours is left."""
    data = checked(plan, handle, change)
    version = int(handle.version()) + 1
    number = (handle.transaction_version(tables.APP_ID) or 0) + 1
    digest, position = asking.digest, asking.position
    plan_intent(run.conn, intent_id, version, number, digest, position)
    about = _about(run, plan, intent_id, asking, digest, metadata)
    with _failing_closed(run, plan.table):
        tables.write(handle, tables.Write(data, change.buckets, change.is_append), about, number)
    return pin(run, intent_id, version)


def checked(plan: Plan, handle: DeltaTable, change: Change) -> pa.Table:
    """The change's rows with the plan's columns. Refuses what would damage the table: UsageError, ContractError."""
    if set(change.data.schema.names) != set(plan.schema.names):
        differing = sorted(set(change.data.schema.names) ^ set(plan.schema.names))
        raise UsageError(f"{plan.table}: the change and the plan differ in columns {', '.join(differing)}.")
    gone = sorted(set(tables.column_names(handle)) - set(plan.schema.names))
    if gone:
        raise ContractError(
            f"{plan.table} has columns that its contract no longer has: {', '.join(gone)}. Rebuild it from its source."
        )
    data = change.data.select(plan.schema.names).cast(plan.schema)
    if change.buckets is not None:
        given = data.column(PARTITION) if plan.partitioned else None
        if given is None or not change.buckets or change.is_append:
            raise UsageError(f"{plan.table}: buckets are named to replace them, in a partitioned table, at least one.")
        named = pa.array(change.buckets, pa.int32())
        if given.null_count or pc.all(pc.is_in(given, value_set=named)).as_py() not in (True, None):
            raise UsageError(f"{plan.table}: the change has rows of buckets that it does not replace.")
    return data


def _about(
    run: Run, plan: Plan, intent_id: int, asking: Asking, digest: str, metadata: Mapping[str, str]
) -> dict[str, str]:
    """What the commit file says of itself, beside what deltalake writes: no personal value."""
    other_names = json.dumps(dict(plan.consented_as), sort_keys=True)
    own = (run.run_id, str(intent_id), str(asking.position), asking.at.isoformat(), digest, run.code_hash, other_names)
    said = zip(OWN_METADATA, own, strict=True)
    return {name: value for name, value in said if name != "consented_as" or plan.consented_as} | dict(metadata)


@contextmanager
def _failing_closed(run: Run, table: str) -> Iterator[None]:
    try:
        yield
    except CommitFailedError:
        erase.sweep(run.settings.lake_root, table)
        raise
    except (OSError, DeltaError) as error:
        erase.sweep(run.settings.lake_root, table)
        raise DependencyDown(
            f"{table} could not be written ({type(error).__name__}); nothing was published. See to disk space and "
            "rights under the lake's root, then run again."
        ) from error
