"""What a service asks of a citizen, as authorisations and approvals ready to be proven and recorded.

In: a service, the keys of its subjects and an instant. Out: `Grant` and `Approval` records with exactly the documents,
variants and columns that the service's law needs (P2), less those that need a separate consent which was not given.
`consent.evidence.notice_of` is the notice that belongs to a grant; `hanbeon.authenticating` gets it signed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from consent.gate import RESIDENT_NUMBER
from consent.model import Approval, Capacity, Cycle, Grant, Kind, Mode, Scope
from consent.shareable import need_shareable
from hanbeon.errors import UsageError
from schemas import notices
from schemas.contract import source
from schemas.services import APPLICANT, DECEASED, HOUSEHOLD, THING, Requirement, Service

STANDING_DAYS = 365
APPROVAL_DAYS = 3 * 365
RETAIN_DAYS_AFTER = 30
PERSONS = (APPLICANT, HOUSEHOLD)  # a document about who consents or applies, not about what she owns


def applicant_kind(service: Service, kind: str | None = None) -> str:
    """By what kind of identifier who applies is named: the usual one, or this. Raises UsageError for any other."""
    if kind not in (None, *service.applicants):
        raise UsageError(f"Who applies for {service.id} is named by {' or '.join(service.applicants)}.")
    return kind or service.applicants[0]


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
) -> Grant:
    """The first of `grants`: of a usual applicant, about herself. Raises UsageError where there is none."""
    kind = applicant_kind(service)
    return need_some(service, grants(service, kind, subject_key, application_id, at, until, document_types, grounds))[0]


def need_some(service: Service, given: list[Grant]) -> list[Grant]:
    """The grants. Raises UsageError where nothing is left to authorise."""
    if not given:
        raise UsageError(
            f"Service {service.id} takes nothing as data here, so there is nothing to authorise. Name with --about what"
            " its documents are about, or bring them on paper."
        )
    return given


def grants(
    service: Service,
    kind: str,
    subject_key: int,
    application_id: str | None,
    at: datetime,
    until: datetime | None = None,
    document_types: Sequence[str] = (),
    grounds: Sequence[str] | None = None,
    *,
    about: Mapping[str, Sequence[int]] | None = None,
    grantor_key: int | None = None,
    capacity: Capacity = Capacity.SELF,
    is_member: bool = False,
) -> list[Grant]:
    """The authorisations of one applicant for one service, covering just what the service needs of this kind of them.

    One for each ground and capacity, in this order: what the applicant consents to about herself, what as owner of the
    things or as heir of the deceased that `about` names (keys by kind of identifier), and what a statute opens for the
    application. Of documents of which one is enough the first is meant, unless `document_types` names others. `grounds`
    are the separate consents that were given; None: every one that is asked for. `grantor_key` and `capacity` name who
    consents for the subject, where that is not the subject. `is_member`: the subject is another person of the
    applicant's household, so that only what is about each of them is meant. Empty where nothing is left to authorise:
    the papers come by hand.
    """
    if service.mode == Mode.ONE_TIME and application_id is None:
        raise UsageError(f"An authorisation for {service.id} is for one application. Open the application first.")
    parts: dict[tuple[str, str, Capacity], list[tuple[Requirement, Sequence[int]]]] = {}
    asked = _needed(service, kind, document_types, is_member)
    for needed in sorted(asked, key=lambda r: (r.authorisation == Kind.STATUTE, r.about not in PERSONS)):
        subjects = (subject_key,) if needed.about in PERSONS else _others(needed, about or {})
        is_possible = bool(subjects) and (needed.authorisation != Kind.STATUTE or application_id is not None)
        if is_possible:
            place = (needed.authorisation, needed.legal_basis, _capacity(needed, capacity))
            parts.setdefault(place, []).append((needed, subjects))
        elif needed.document_type in document_types:
            raise UsageError(_impossible(needed))
    consented = [r for (kind_of, *_), part in parts.items() if kind_of != Kind.STATUTE for r, _ in part]
    if consented and grounds is not None:
        _need_given(consented, grounds)
    acting = subject_key if grantor_key is None else grantor_key
    return [
        _grant(service, application_id, at, until, Kind(authorisation), law, acting, as_what, of_part, grounds)
        for (authorisation, law, as_what), of_part in parts.items()
    ]


def _needed(service: Service, kind: str, document_types: Sequence[str], is_member: bool) -> list[Requirement]:
    found: list[Requirement] = []
    for needed in requirements(service, document_types):
        if is_member and needed.about not in (HOUSEHOLD, THING):
            continue
        is_chosen = needed.one_of is None or document_types or needed.one_of not in {r.one_of for r in found}
        if kind in needed.applicants and is_chosen:
            found.append(needed)
    return found


def _others(needed: Requirement, about: Mapping[str, Sequence[int]]) -> Sequence[int]:
    return about.get(source(needed.document_type).subject_identifier_kind, ())


def _capacity(needed: Requirement, capacity: Capacity) -> Capacity:
    """As whom who consents does so; a statute asks nobody."""
    if needed.authorisation == Kind.STATUTE:
        return Capacity.SELF
    return {THING: Capacity.OWNER, DECEASED: Capacity.HEIR}.get(needed.about, capacity)


def _impossible(needed: Requirement) -> str:
    if needed.about in PERSONS:
        return f"{needed.document_type} is opened by statute for one application. Open the application first."
    kind = source(needed.document_type).subject_identifier_kind
    return f"{needed.document_type} is not about who applies. Name what it is about with --about, as {kind}:NUMBER."


def _grant(
    service: Service,
    application_id: str | None,
    at: datetime,
    until: datetime | None,
    kind: Kind,
    legal_basis: str,
    grantor_key: int,
    capacity: Capacity,
    part: Sequence[tuple[Requirement, Sequence[int]]],
    grounds: Sequence[str] | None,
) -> Grant:
    is_statute = kind is Kind.STATUTE
    mode = Mode.ONE_TIME if is_statute else Mode(service.mode)
    needed = [r for r, _ in part]
    given = () if is_statute else tuple(g for g in notices.grounds(needed) if grounds is None or g in grounds)
    valid_until = until or default_until(service, at)
    return Grant(
        kind=kind,
        grantor_key=None if is_statute else grantor_key,
        application_id=application_id if mode is Mode.ONE_TIME else None,
        recipient=service.recipient,
        service=service.id,
        purpose=service.purpose,
        legal_basis=legal_basis,
        mode=mode,
        valid_from=at,
        valid_until=valid_until,
        retain_until=valid_until + timedelta(days=RETAIN_DAYS_AFTER),
        scopes=tuple(
            _scope(r, subject, r.columns if is_statute else notices.narrowed(r, given))
            for r, subjects in part
            for subject in subjects
        ),
        cycle=None if mode is Mode.ONE_TIME else Cycle.DAILY,
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


def _need_given(needed: Sequence[Requirement], grounds: Sequence[str]) -> None:
    """Raises UsageError where the separate consents given are too few for anything to flow, or are not asked for."""
    asked = notices.grounds(needed)
    if not set(notices.NEEDED) <= set(grounds) <= set(asked):
        raise UsageError(
            f"This asks for the consents {', '.join(asked)}; {' and '.join(notices.NEEDED)} are needed for anything to"
            " flow. Name those that were given, or bring the documents on paper."
        )


def _scope(requirement: Requirement, subject_key: int, columns: tuple[str, ...]) -> Scope:
    contract = source(requirement.document_type)
    return Scope(
        subject_key=subject_key,
        document_type=requirement.document_type,
        variant=requirement.variant or contract.variants[0],
        columns=columns,
        holder=contract.holder,
    )
