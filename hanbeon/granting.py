"""What a service asks of a citizen, as authorisations and approvals ready for the ledger.

In: a service, the keys of its subjects and an instant. Out: `Grant` and `Approval` records with exactly the documents,
variants and columns that the service's law needs (P2), and the notice that the citizen was shown, whose hash the
authorisation carries.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent.model import Approval, Capacity, Cycle, Grant, Kind, Mode, Scope
from hanbeon.clock import seoul_date
from hanbeon.errors import UsageError
from schemas.contract import source
from schemas.services import Requirement, Service, recipients

NOTICE_VERSION = "1"
STANDING_DAYS = 365
APPROVAL_DAYS = 3 * 365
RETAIN_DAYS_AFTER = 30


@dataclass(frozen=True)
class Notice:
    """What is shown before anybody consents: Korean text, its version and its hash."""

    version: str
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()


def notice(service: Service, valid_until: datetime) -> Notice:
    """The notice of e-Gov Act 42 and PIPA 15: who gets what, why, until when, and that one may refuse."""
    recipient = next(r for r in recipients() if r.id == service.recipient)
    documents = "\n".join(f"  - {_document(r)}" for r in service.data_requirements)
    return Notice(
        NOTICE_VERSION,
        f"이용기관: {recipient.korean}\n"
        f"이용목적: {service.purpose} ({service.law})\n"
        f"근거: {service.legal_basis}\n"
        f"이용하는 정보:\n{documents}\n"
        f"유효기간: {seoul_date(valid_until):%Y-%m-%d}까지\n"
        "동의하지 않을 수 있으며, 이 경우 해당 서류를 직접 제출하면 됩니다. 동의는 언제든지 철회할 수 있습니다.\n",
    )


def subject_kind(service: Service) -> str:
    """The identifier kind of a service's subjects. Raises UsageError where no document of it comes as data."""
    kinds = {source(r.document_type).subject_identifier_kind for r in service.data_requirements}
    if len(kinds) != 1:
        raise UsageError(f"Service {service.id} has no document of one kind of subject that comes as data.")
    return kinds.pop()


def default_until(service: Service, at: datetime) -> datetime:
    """A one-time authorisation lives as long as the decision may take, a standing one a year."""
    return at + timedelta(days=service.decision_days if service.mode == Mode.ONE_TIME else STANDING_DAYS)


def requirements(service: Service, document_types: Sequence[str] = ()) -> tuple[Requirement, ...]:
    """The service's documents that come as data, narrowed to those named. Raises UsageError for any other."""
    known = {r.document_type: r for r in service.data_requirements}
    strange = [d for d in document_types if d not in known]
    if strange:
        raise UsageError(
            f"Service {service.id} takes {', '.join(known) or 'nothing'} as data. Name only these documents."
        )
    return tuple(r for d, r in known.items() if not document_types or d in document_types)


def grant(
    service: Service,
    subject_key: int,
    application_id: str | None,
    at: datetime,
    until: datetime | None = None,
    document_types: Sequence[str] = (),
    *,
    grantor_key: int | None = None,
    capacity: Capacity = Capacity.SELF,
) -> Grant:
    """One authorisation of one subject for one service, covering just what the service needs.

    `grantor_key` and `capacity` name who consents for the subject, where that is not the subject.
    """
    needed = requirements(service, document_types)
    if not needed:
        raise UsageError(f"Service {service.id} takes no document as data, so there is nothing to authorise.")
    is_one_time = service.mode == Mode.ONE_TIME
    if is_one_time and application_id is None:
        raise UsageError(f"An authorisation for {service.id} is for one application. Open the application first.")
    valid_until = until or default_until(service, at)
    shown = notice(service, valid_until)
    is_statute = service.authorisation == Kind.STATUTE
    return Grant(
        kind=Kind(service.authorisation),
        grantor_key=None if is_statute else subject_key if grantor_key is None else grantor_key,
        application_id=application_id if is_one_time else None,
        recipient=service.recipient,
        service=service.id,
        purpose=service.purpose,
        legal_basis=service.legal_basis,
        mode=Mode(service.mode),
        valid_from=at,
        valid_until=valid_until,
        retain_until=valid_until + timedelta(days=RETAIN_DAYS_AFTER),
        scopes=tuple(_scope(r, subject_key) for r in needed),
        cycle=None if is_one_time else Cycle.DAILY,
        notice_version=None if is_statute else shown.version,
        notice_hash=None if is_statute else shown.digest,
        grantor_capacity=None if is_statute else capacity,
    )


def approvals(
    service: Service, at: datetime, until: datetime | None = None, document_types: Sequence[str] = ()
) -> list[Approval]:
    """The holders' approvals that a service rests on (e-Gov Act 39), one a document."""
    return [
        Approval(
            holder=source(r.document_type).holder,
            recipient=service.recipient,
            document_type=r.document_type,
            purpose=service.purpose,
            legal_basis="전자정부법 제39조",
            valid_from=at,
            valid_until=until or at + timedelta(days=APPROVAL_DAYS),
        )
        for r in requirements(service, document_types)
    ]


def _scope(requirement: Requirement, subject_key: int) -> Scope:
    contract = source(requirement.document_type)
    return Scope(
        subject_key=subject_key,
        document_type=requirement.document_type,
        variant=requirement.variant or contract.variants[0],
        columns=requirement.columns,
        holder=contract.holder,
    )


def _document(requirement: Requirement) -> str:
    contract = source(requirement.document_type)
    korean = {c.publishes or c.name: c.korean for c in contract.content}
    korean |= {f"{g.name}.{c.publishes or c.name}": c.korean for g in contract.groups for c in g.content}
    name = contract.description.split(" (")[0]
    return f"{name}: {', '.join(korean.get(path, path) for path in requirement.columns)}"
