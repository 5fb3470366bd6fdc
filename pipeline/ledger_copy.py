"""The lake's copy of the ledger, at one exact position, and the identity-free decisions that statistics count.

In: the ledger's database. Out: `ledger/{events,authorisations,approvals,applications}`, `ops/{decisions,accesses}`,
written by the write protocol like every other table. The copy is what joins at scale and what auditors read.
"""

from collections.abc import Callable
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from consent import accesses, applications, ledger
from consent.snapshot import APPLICATIONS_SCHEMA, APPROVALS_SCHEMA, AUTHORISATIONS_SCHEMA, EVENTS_SCHEMA, Snapshot
from hanbeon.clock import seoul_date
from lake import tables
from pipeline.commit import Change, Current, Plan, commit
from pipeline.operations import append_plan
from pipeline.run import Run
from schemas.contract import sources

EVENTS = "ledger/events"
ACCESSES = "ops/accesses"
DECISIONS = "ops/decisions"
DECISION_SCHEMA = pa.schema(
    [
        pa.field("decision_id", pa.string()),
        pa.field("service", pa.string()),
        pa.field("recipient", pa.string()),
        pa.field("holder", pa.string()),
        pa.field("document_type", pa.string()),
        pa.field("satisfied_by", pa.string()),
        pa.field("decided_on", pa.date32()),
    ]
)
LATE_ACCESSES = 10_000  # so many newer reads may be copied before a read's own short transaction ends


def copy_ledger(run: Run) -> None:
    """Bring the copy to the newest position; nothing is written when the ledger did not move."""
    plans = [
        _copy_plan("ledger/authorisations", AUTHORISATIONS_SCHEMA, lambda s: s.authorisations),
        _copy_plan("ledger/approvals", APPROVALS_SCHEMA, lambda s: s.approvals),
        _copy_plan("ledger/applications", APPLICATIONS_SCHEMA, lambda s: s.applications),
        _events_plan(run),
        _accesses_plan(run),
    ]
    commit(run, [*plans, append_plan(DECISIONS, _decided(run), ("decision_id", "document_type"))], {})


def decisions(run: Run) -> pa.Table:
    return tables.read(run.settings.lake_root, DECISIONS, schema=DECISION_SCHEMA)


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


def _decided(run: Run) -> pa.Table:
    """One row for each decided application and required document: no key, no application id, the day in Seoul."""
    holders = {c.document_type: c.holder for c in sources()}
    rows = []
    for decided in applications.decided_applications(run.conn):
        decision_id = decided.decision_id
        day: date = seoul_date(decided.decided_at)
        for document_type, satisfied_by in sorted(decided.satisfied_by.items()):
            rows.append(
                {
                    "decision_id": decision_id,
                    "service": decided.service,
                    "recipient": decided.recipient,
                    "holder": holders.get(document_type, ""),
                    "document_type": document_type,
                    "satisfied_by": satisfied_by,
                    "decided_on": day,
                }
            )
    return pa.Table.from_pylist(rows, schema=DECISION_SCHEMA)
