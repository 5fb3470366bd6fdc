"""The lake's copy of the ledger, at one exact position, and the identity-free decisions that statistics count.

In: the ledger's database. Out: `ledger/{events,authorisations,approvals,applications}`, `ops/{decisions,accesses}`,
written by the write protocol like every other table. The copy is what joins at scale and what auditors read.
"""

from datetime import date

import pyarrow as pa

from consent import accesses, applications, ledger
from consent.snapshot import EVENTS_SCHEMA
from hanbeon.clock import seoul_date
from lake import tables
from pipeline.bundles import DECISION_SCHEMA
from pipeline.commit import Change, Current, Plan, commit
from pipeline.operations import append_plan
from pipeline.run import Run
from schemas.contract import sources

EVENTS = "ledger/events"
ACCESSES = "ops/accesses"
DECISIONS = "ops/decisions"


def copy_ledger(run: Run) -> None:
    """Bring the copy to the newest position; nothing is written when the ledger did not move."""
    snapshot = ledger.snapshot(run.conn)
    copies = {
        "ledger/authorisations": snapshot.authorisations,
        "ledger/approvals": snapshot.approvals,
        "ledger/applications": snapshot.applications,
    }
    plans = [_copy_plan(name, table) for name, table in copies.items()]
    plans += [_events_plan(run), _accesses_plan(run)]
    commit(run, [*plans, append_plan(DECISIONS, _decided(run), ("decision_id", "document_type"))], {})


def decisions(run: Run) -> pa.Table:
    return tables.read(run.settings.lake_root, DECISIONS, schema=DECISION_SCHEMA)


def _copy_plan(name: str, table: pa.Table) -> Plan:
    def compute(current: Current) -> Change | None:
        wanted = table.cast(current.schema)
        order = [(n, "ascending") for n in wanted.schema.names if not pa.types.is_nested(wanted.schema.field(n).type)]
        is_same = current.read().sort_by(order).equals(wanted.sort_by(order))
        return None if is_same else Change(wanted, None)

    return Plan(name, table.schema, compute, partitioned=False)


def _events_plan(run: Run) -> Plan:

    def compute(current: Current) -> Change | None:
        held = current.read().column("position").to_pylist()
        new = ledger.events(run.conn, max(held, default=0))
        return Change(new.cast(EVENTS_SCHEMA), None, is_append=True) if new.num_rows else None

    return Plan(EVENTS, EVENTS_SCHEMA, compute, partitioned=False)


def _accesses_plan(run: Run) -> Plan:
    """Access records, newest last; the database keeps the originals (P9)."""

    def compute(current: Current) -> Change | None:
        held = current.read().column("access_id").to_pylist()
        new = accesses.listing(run.conn, after=max(map(int, held), default=0))
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
