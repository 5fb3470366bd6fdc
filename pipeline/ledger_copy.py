"""The lake's copy of the ledger, at one exact position.

In: the ledger's database. Out: `ledger/{events,authorisations,approvals,applications}`, `ops/accesses`, and with them
the identity-free decisions that statistics count (`pipeline.counting`),
written by the write protocol like every other table. The copy is what joins at scale and what auditors read.
"""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from consent import accesses, ledger
from consent.snapshot import APPLICATIONS_SCHEMA, APPROVALS_SCHEMA, AUTHORISATIONS_SCHEMA, EVENTS_SCHEMA, Snapshot
from pipeline.commit import Change, Current, Plan, commit
from pipeline.counting import decisions_plan
from pipeline.run import Run

EVENTS = "ledger/events"
ACCESSES = "ops/accesses"
LATE_ACCESSES = 10_000  # so many newer reads may be copied before a read's own short transaction ends


def copy_ledger(run: Run) -> None:
    """Bring the copy to the newest position; nothing is written when the ledger did not move."""
    plans = [
        _copy_plan("ledger/authorisations", AUTHORISATIONS_SCHEMA, lambda s: s.authorisations),
        _copy_plan("ledger/approvals", APPROVALS_SCHEMA, lambda s: s.approvals),
        _copy_plan("ledger/applications", APPLICATIONS_SCHEMA, lambda s: s.applications),
        _events_plan(run),
        _accesses_plan(run),
        decisions_plan(run),
    ]
    commit(run, plans, {})


def _copy_plan(name: str, schema: pa.Schema, of: Callable[[Snapshot], pa.Table]) -> Plan:
    """The snapshot is taken by the commit, under the table's lease: an older copy never replaces a newer one (F5)."""

    def compute(current: Current) -> Change | None:
        wanted = of(current.snapshot).cast(current.schema)
        order = [(n, "ascending") for n in wanted.schema.names if not pa.types.is_nested(wanted.schema.field(n).type)]
        is_same = current.read().sort_by(order).equals(wanted.sort_by(order))
        return None if is_same else Change(wanted, None)

    return Plan(name, schema, compute, partitioned=False)


def _events_plan(run: Run) -> Plan:

    def compute(current: Current) -> Change | None:
        new = ledger.events(run.conn, pc.max(current.read().column("position")).as_py() or 0)
        return Change(new.cast(EVENTS_SCHEMA), None, is_append=True) if new.num_rows else None

    return Plan(EVENTS, EVENTS_SCHEMA, compute, partitioned=False)


def _accesses_plan(run: Run) -> Plan:
    """Access records; the database keeps the originals (P9). A number can be committed after a higher one."""

    def compute(current: Current) -> Change | None:
        held = current.read().column("access_id")
        newest = pc.max(pc.cast(held, pa.int64())).as_py() or 0
        late_too = accesses.listing(run.conn, after=max(newest - LATE_ACCESSES, 0))
        new = late_too.filter(pc.invert(pc.is_in(late_too.column("access_id"), value_set=held.combine_chunks())))
        return Change(new, None, is_append=True) if new.num_rows else None

    return Plan(ACCESSES, accesses.ACCESSES_SCHEMA, compute, partitioned=False)
