"""What a service asks of a citizen, as authorisations and approvals ready to be proven and recorded.

In: a service, the keys of its subjects and an instant. Out: `Grant` and `Approval` records with exactly the documents,
variants and columns that the service's law needs (P2), less those that need a separate consent which was not given.
`consent.evidence.notice_of` is the notice that belongs to a grant; `hanbeon.authenticating` gets it signed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from consent.gate import RESIDENT_NUMBER
from consent.model import Approval, Capacity, Cycle, Grant, Kind, Mode, Scope
from consent.shareable import need_shareable
from hanbeon.errors import UsageError
from schemas import notices
from schemas.contract import source
from schemas.services import Requirement, Service

STANDING_DAYS = 365
APPROVAL_DAYS = 3 * 365
RETAIN_DAYS_AFTER = 30


def subject_kind(service: Service) -> str:
    """By what kind of identifier applicants are named. Raises UsageError where no document of it comes as data."""
    if not service.data_requirements:
        raise UsageError(f"Service {service.id} takes no document as data. Its papers come by hand.")
    return service.applicants[0]


def default_until(service: Service, at: datetime) -> datetime:
    """A one-time authorisation lives as long as the decision may take, a standing one a year."""
    return at + timedelta(days=service.decision_days if service.mode == Mode.ONE_TIME else STANDING_DAYS)


def requirements(service: Service, document_types: Sequence[str] = ()) -> tuple[Requirement, ...]:
    """The service's documents that come as data, narrowed to those named. Raises UsageError for any other.

    Raises GateRefused, with the article, for a document that no law lets flow.
    """
    known = {r.document_type: r for r in service.data_requirements}
    need_shareable(document_types)
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
    grounds: Sequence[str] | None = None,
    *,
    grantor_key: int | None = None,
    capacity: Capacity = Capacity.SELF,
) -> Grant:
    """One authorisation of one subject for one service, covering just what the service needs.

    `grounds` are the separate consents that were given; None: every one that the service asks for. `grantor_key` and
    `capacity` name who consents for the subject, where that is not the subject.
    """
    needed = requirements(service, document_types)
    if not needed:
        raise UsageError(f"Service {service.id} takes no document as data, so there is nothing to authorise.")
    is_one_time = service.mode == Mode.ONE_TIME
    if is_one_time and application_id is None:
        raise UsageError(f"An authorisation for {service.id} is for one application. Open the application first.")
    valid_until = until or default_until(service, at)
    is_statute = service.authorisation == Kind.STATUTE
    given = () if is_statute else _given(needed, grounds)
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
        scopes=tuple(_scope(r, subject_key, r.columns if is_statute else notices.narrowed(r, given)) for r in needed),
        cycle=None if is_one_time else Cycle.DAILY,
        grounds=given,
        grantor_capacity=None if is_statute else capacity,
        identifier_statute=identifier_statute(needed),
    )


def approvals(
    service: Service,
    at: datetime,
    until: datetime | None = None,
    document_types: Sequence[str] = (),
    reference: str | None = None,
) -> list[Approval]:
    """The holders' approvals that a service rests on (e-Gov Act 39), one a document; `reference` names the papers."""
    return [
        Approval(
            holder=source(r.document_type).holder,
            recipient=service.recipient,
            document_type=r.document_type,
            purpose=service.purpose,
            legal_basis="전자정부법 제39조",
            valid_from=at,
            valid_until=until or at + timedelta(days=APPROVAL_DAYS),
            reference=reference,
        )
        for r in requirements(service, document_types)
    ]


def identifier_statute(needed: Sequence[Requirement]) -> str | None:
    """By which statute holders are asked by the resident number; None where they are asked by another one."""
    kinds = {source(r.document_type).subject_identifier_kind for r in needed}
    return notices.IDENTIFIER_STATUTE if RESIDENT_NUMBER in kinds else None


def _given(needed: Sequence[Requirement], grounds: Sequence[str] | None) -> tuple[str, ...]:
    """The separate consents given, in the order in which they are asked for. Raises UsageError for too few."""
    asked = notices.grounds(needed)
    given = tuple(g for g in asked if grounds is None or g in grounds)
    if not set(notices.NEEDED) <= set(given) or set(grounds or ()) - set(asked):
        raise UsageError(
            f"This asks for the consents {', '.join(asked)}; {' and '.join(notices.NEEDED)} are needed for anything to"
            " flow. Name those that were given, or bring the documents on paper."
        )
    return given


def _scope(requirement: Requirement, subject_key: int, columns: tuple[str, ...]) -> Scope:
    contract = source(requirement.document_type)
    return Scope(
        subject_key=subject_key,
        document_type=requirement.document_type,
        variant=requirement.variant or contract.variants[0],
        columns=columns,
        holder=contract.holder,
    )
