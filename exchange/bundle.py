"""What a case worker reads: the bundle (꾸러미) of one application.

In: an application id and who reads. Out: a `Bundle` with an entry for each document that the service needs, as data,
as brought on paper, or missing with its reason. The gate is asked now; the read is recorded and committed; only then
are the recipient's share tables read (P9, F62), narrowed to the columns that this application's authorisations name.
If the ledger moves meanwhile, everything is asked again, so that a withdrawal holds from its own instant (P4).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from consent import gate
from consent.accesses import Access, Action, record, record_all
from consent.model import ApplicationState
from consent.narrow import snapshot_of_application
from consent.snapshot import Snapshot
from exchange.document import Copy, copies, document_name
from hanbeon.errors import Refused, UsageError
from pipeline.bundles import requirements
from pipeline.run import Run
from schemas.contract import Contract, source
from schemas.services import Requirement, Service, recipients, service

ATTEMPTS = 3


@dataclass(frozen=True)
class Document:
    """`state` is data, paper or missing. `outside` are columns that the service needs and consent does not cover.

    A document with columns outside may have copies to read, and is missing all the same: it proves only a part.
    """

    document_type: str
    korean: str
    holder: str | None
    variant: str | None
    state: str
    reason: str | None
    authorisation_ids: tuple[str, ...]
    outside: tuple[str, ...]
    copies: tuple[Copy, ...]


@dataclass(frozen=True)
class Bundle:
    application_id: str
    state: str
    opened_at: datetime
    service: Service
    recipient_korean: str
    recipient_english: str
    reader: str
    read_at: datetime
    ledger_position: int
    access_ids: tuple[str, ...]
    documents: tuple[Document, ...]

    @property
    def is_complete(self) -> bool:
        return all(d.state != "missing" for d in self.documents)

    @property
    def satisfied_by(self) -> dict[str, str]:
        """How each document that is there came, as a decision records it."""
        return {d.document_type: d.state for d in self.documents if d.state != "missing"}


@dataclass(frozen=True)
class _Judged:
    """What the gate says of one required document, for this application alone."""

    requirement: Requirement
    authorisation_ids: tuple[str, ...]
    columns: frozenset[str]
    reason: str | None
    is_paper: bool

    @property
    def is_open(self) -> bool:
        return bool(self.authorisation_ids)


def open_bundle(run: Run, application_id: str, reader: str) -> Bundle:
    """Open one application's bundle. Raises UsageError for an unknown one, Refused when the read cannot be recorded."""
    snapshot = snapshot_of_application(run.conn, application_id)
    if snapshot is None:
        raise _unknown(run, reader)
    at = run.at()
    application: Mapping[str, Any] = snapshot.applications.to_pylist()[0]
    judged = _judge(snapshot, application, at)
    for _ in range(ATTEMPTS):
        ids = record_all(run.conn, _accesses(application, judged, reader), at)
        documents = tuple(_document(run, application, j) for j in judged)
        snapshot, at = snapshot_of_application(run.conn, application_id) or snapshot, run.at()
        before, judged = judged, _judge(snapshot, application, at)
        if judged == before:
            return _bundle(application, reader, at, snapshot.position, ids, documents)
    raise Refused("Consent for this application is changing while it is read. Try again in a moment.")


def _unknown(run: Run, reader: str) -> UsageError:
    asked = "bundle of an unknown application"
    record(run.conn, Access(reader, Action.BUNDLE, asked, is_granted=False, reason="unknown_application"), run.at())
    return UsageError("There is no such application. `hanbeon application list` shows the ids.")


def _judge(snapshot: Snapshot, application: Mapping[str, Any], at: datetime) -> tuple[_Judged, ...]:
    allowed = _of_application(gate.allowed(snapshot, at), application)
    needed = requirements(snapshot.applications, snapshot.papers, allowed, gate.explained(snapshot, at)).to_pylist()
    reasons = {n["document_type"]: n["reason"] for n in needed}
    papers = set(snapshot.papers.column("document_type").to_pylist())
    is_open = snapshot.applications.column("state").to_pylist() == [ApplicationState.OPEN]
    return tuple(
        _judge_one(r, allowed.to_pylist() if is_open else [], is_open, reasons, r.document_type in papers)
        for r in service(application["service"]).requirements
    )


def _of_application(allowed: pa.Table, application: Mapping[str, Any]) -> pa.Table:
    """The gate's rows for this very application, or standing ones of the same applicant, service and recipient."""
    own = pc.fill_null(pc.equal(allowed.column("application_id"), application["application_id"]), True)
    for name, value in (
        ("_subject_key", application["applicant_key"]),
        ("service", application["service"]),
        ("recipient", application["recipient"]),
    ):
        own = pc.and_(own, pc.fill_null(pc.equal(allowed.column(name), value), False))
    return allowed.filter(own)


def _judge_one(
    requirement: Requirement,
    allowed: list[dict[str, Any]],
    is_open: bool,
    reasons: Mapping[str, str | None],
    is_paper: bool,
) -> _Judged:
    covering = (
        [g for g in allowed if g["document_type"] == requirement.document_type and g["variant"] == requirement.variant]
        if requirement.is_available
        else []
    )
    columns = frozenset(c for g in covering for c in g["columns"]) & set(requirement.columns)
    ids = tuple(sorted({str(g["authorisation_id"]) for g in covering})) if columns else ()
    reason: str | None
    if not requirement.is_available:
        reason = "not_available_as_data"
    elif not is_open:
        reason = "application_decided"
    else:
        reason = None if ids else reasons.get(requirement.document_type) or "no_authorisation"
    return _Judged(requirement, ids, columns, reason, is_paper)


def _accesses(application: Mapping[str, Any], judged: tuple[_Judged, ...], reader: str) -> list[Access]:
    """One record for each document that could come as data; one for the bundle where none could."""
    common = {
        "reader": reader,
        "action": Action.BUNDLE,
        "asked": "bundle",
        "recipient": application["recipient"],
        "service": application["service"],
        "application_id": application["application_id"],
        "subject_key": application["applicant_key"],
    }
    as_data = [j for j in judged if j.requirement.is_available]
    return [
        Access(
            **common,
            document_type=j.requirement.document_type,
            authorisation_id=authorisation_id,
            is_granted=j.is_open,
            reason=j.reason,
        )
        for j in as_data
        for authorisation_id in (j.authorisation_ids or (None,))
    ] or [Access(**common)]


def _bundle(
    application: Mapping[str, Any],
    reader: str,
    at: datetime,
    position: int,
    access_ids: list[str],
    documents: tuple[Document, ...],
) -> Bundle:
    recipient = next(r for r in recipients() if r.id == application["recipient"])
    return Bundle(
        application_id=application["application_id"],
        state=application["state"],
        opened_at=application["opened_at"],
        service=service(application["service"]),
        recipient_korean=recipient.korean,
        recipient_english=recipient.english,
        reader=reader,
        read_at=at,
        ledger_position=position,
        access_ids=tuple(access_ids),
        documents=documents,
    )


def _document(run: Run, application: Mapping[str, Any], judged: _Judged) -> Document:
    requirement = judged.requirement
    contract = source(requirement.document_type) if requirement.is_available else None
    found = _copies(run, application, judged, contract) if contract is not None and judged.is_open else ()
    outside = tuple(c for c in requirement.columns if c not in judged.columns) if judged.is_open else ()
    state = "data" if found and not outside else ("paper" if judged.is_paper else "missing")
    reason = judged.reason or ("columns_outside" if outside else "nothing_received")
    return Document(
        document_type=requirement.document_type,
        korean=document_name(requirement.document_type),
        holder=contract.holder if contract else None,
        variant=requirement.variant,
        state=state,
        reason=reason if state == "missing" else None,
        authorisation_ids=judged.authorisation_ids,
        outside=outside,
        copies=found,
    )


def _copies(run: Run, application: Mapping[str, Any], judged: _Judged, contract: Contract) -> tuple[Copy, ...]:
    recipient, subject_key = application["recipient"], application["applicant_key"]
    return copies(run, contract, recipient, subject_key, judged.requirement.variant, judged.columns)
