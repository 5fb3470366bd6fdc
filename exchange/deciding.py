"""A case worker decides on the bundle that was just read.

In: an application, the outcome and who decides. Out: the decision with its hand-overs. The bundle is opened, which
records the read, and exactly the documents that it shows as data are what the decision rested on.
"""

from dataclasses import dataclass

from consent import applications
from consent.model import ApplicationState, Decision
from exchange.bundle import Document, open_bundle
from exchange.document import Copy
from pipeline import handover
from pipeline.handover import Rested
from pipeline.run import Run


@dataclass(frozen=True)
class Made:
    decision_id: str
    satisfied_by: dict[str, str]
    handovers: tuple[int, ...]


def decide(run: Run, application_id: str, decision: Decision, reader: str) -> Made:
    """Open the bundle, decide, and queue the evidence for the case file. Said again, it changes nothing."""
    is_open = applications.get(run.conn, application_id)["state"] == ApplicationState.OPEN
    bundle = open_bundle(run, application_id, reader) if is_open else None
    satisfied = bundle.satisfied_by if bundle else {}
    rested = [_rested(d) for d in bundle.documents if d.state == "data"] if bundle else []
    made = handover.decide(run, application_id, decision, satisfied, rested)
    return Made(made.decision_id, satisfied, made.handovers)


def _rested(document: Document) -> Rested:
    copies = tuple(_copy(c) for c in document.copies)
    return Rested(document.document_type, document.variant, document.authorisation_ids, copies)


def _copy(copy: Copy) -> handover.Copy:
    groups = {lines.group: [{v.name: v.value for v in row} for row in lines.rows] for lines in copy.groups}
    return handover.Copy(copy.evidence_id, copy.valid_from, {v.name: v.value for v in copy.values}, groups)
