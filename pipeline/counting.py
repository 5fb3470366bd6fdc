"""What statistics know of decisions: `ops/decisions`, a row for each document that the law asked of who applied.

In: decided applications, services and statute registry. Out: rows without key or application id, kept as they were on
the day when they were copied: erasing changes none, nor does a service that asks for something else later. The gold
table `documents_replaced` is counted from them alone.

What the law asked (the counting rule, docs/analysts.md): each document that the service needs of this kind of applicant
counts once, however many subjects it is about; of documents of which one is enough, the one that came, else the one
that the service names first; one that only those bring whom it concerns counts if it came. A withdrawn application is
nobody's decision and counts nothing.
"""

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from consent import applications, journal
from consent.applications import Decided
from consent.model import Decision
from hanbeon.clock import seoul_date
from lake import tables
from pipeline.commit import Change, Current, Plan
from pipeline.operations import append_plan
from pipeline.run import Run
from schemas.contract import sources
from schemas.services import Requirement, Service, service
from schemas.statutes import law_and_article, shared_already

DECISIONS = "ops/decisions"
DECISION_SCHEMA = pa.schema(
    [
        pa.field("decision_id", pa.string()),
        pa.field("service", pa.string()),
        pa.field("law", pa.string()),
        pa.field("article", pa.string()),  # NULL where the service cites the whole law
        pa.field("recipient", pa.string()),
        pa.field("holder", pa.string()),
        pa.field("document_type", pa.string()),
        pa.field("satisfied_by", pa.string()),  # data, paper, or NULL: it did not come
        pa.field("is_shared_already", pa.bool_()),  # NULL: the registry does not have the article
        pa.field("decided_on", pa.date32()),
    ]
)


def decisions(run: Run) -> pa.Table:
    return tables.read(run.settings.lake_root, DECISIONS, schema=DECISION_SCHEMA)


def decisions_plan(run: Run) -> Plan:
    """Append the decisions since the last copy. What was copied once stands, whatever services ask for by now (P6)."""

    def compute(current: Current) -> Change | None:
        held = current.read().column("decision_id")
        new = decided_rows(applications.decided_applications(run.conn, _copied_to(run, current) if len(held) else 0))
        fresh = new.filter(pc.invert(pc.is_in(new.column("decision_id"), value_set=held.combine_chunks())))
        return append_plan(DECISIONS, fresh, ("decision_id", "document_type")).compute(current)

    return Plan(DECISIONS, DECISION_SCHEMA, compute, partitioned=False)


def _copied_to(run: Run, current: Current) -> int:
    """The ledger position of the version that is there; 0, and so everything, where its leaf is not the newest."""
    leaf = journal.newest_leaf(run.conn, DECISIONS)
    return leaf.ledger_position if leaf is not None and leaf.version == current.version else 0


def decided_rows(decided: list[Decided]) -> pa.Table:
    """One row for each decision and document that the law asked for, the day in Seoul."""
    holders = {c.document_type: c.holder for c in sources()}
    rows = []
    for one in decided:
        if one.decision == Decision.WITHDRAWN:
            continue
        asking = service(one.service)
        law, article = law_and_article(asking.law)
        shared = shared_already(asking)
        for document_type, satisfied_by in required(asking, one.applicant_kind, one.satisfied_by):
            rows.append(
                {
                    "decision_id": one.decision_id,
                    "service": one.service,
                    "law": law,
                    "article": article,
                    "recipient": one.recipient,
                    "holder": holders.get(document_type, ""),
                    "document_type": document_type,
                    "satisfied_by": satisfied_by,
                    "is_shared_already": None if shared is None else document_type in shared,
                    "decided_on": seoul_date(one.decided_at),
                }
            )
    return pa.Table.from_pylist(rows, schema=DECISION_SCHEMA)


def required(asking: Service, kind: str, came: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """(document type, how it came) of each document that the law asked of a kind of applicant, in the service's order.

    Of documents of which one is enough, one that came as data goes before one on paper, as in bundles. What somebody
    brought and the law does not ask of this kind of applicant is not among them.
    """
    groups: dict[str, list[Requirement]] = {}
    for r in asking.needed_of(kind):
        groups.setdefault(r.one_of or r.document_type, []).append(r)
    for alternatives in groups.values():
        brought = sorted((r for r in alternatives if r.document_type in came), key=lambda r: came[r.document_type])
        if brought:
            yield brought[0].document_type, came[brought[0].document_type]
        elif not all(r.is_if_held for r in alternatives):
            yield alternatives[0].document_type, None
