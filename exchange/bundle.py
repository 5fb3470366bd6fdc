"""What a case worker reads: the bundle (꾸러미) of one application.

In: an application id and who reads. Out: a `Bundle` with an entry for each document that the service needs, as data,
as brought on paper, or missing with its reason. The gate is asked now; the read is recorded and committed; only then
are the recipient's share tables read (P9, F62), narrowed to the columns that this application's authorisations name.
If the ledger moves meanwhile, everything is asked again, so that a withdrawal holds from its own instant (P4).

`as_of` asks what the evidence said at an earlier instant, in the holders' time; consent and papers are those of now.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.accesses import Access, Action, record, record_all
from consent.append import instant_text
from consent.narrow import snapshot_of_application
from exchange.document import Copy, Then, copies, document_name
from exchange.judging import Judged, Judgement, judge
from hanbeon.clock import seoul_date
from hanbeon.errors import Refused, UsageError
from pipeline.bundles import stated
from pipeline.evidence import asked, evidence
from pipeline.run import Run
from schemas.contract import Contract, source
from schemas.services import Service, recipients, service

ATTEMPTS = 3
CAME = ("data", "paper")


@dataclass(frozen=True)
class Document:
    """`state` is data, paper, missing or not_needed. `outside` are columns that the service needs and consent does not
    cover: such a document may have copies to read, and is missing all the same, for it proves only a part.

    A document about several subjects (two vehicles, two persons) is there once for each; `member` counts the members of
    the household whom the application names, None for who applies and what they own. Of documents with one name in
    `one_of`, one is enough. `fresh_until` (YYYYMMDD) is the last day on which the data may stand for the paper.
    """

    document_type: str
    korean: str
    holder: str | None
    variant: str | None
    one_of: str | None
    state: str
    reason: str | None
    fresh_until: str | None
    authorisation_ids: tuple[str, ...]
    outside: tuple[str, ...]
    copies: tuple[Copy, ...]
    member: int | None = None


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
    as_of: datetime | None
    ledger_position: int
    access_ids: tuple[str, ...]
    documents: tuple[Document, ...]

    @property
    def is_complete(self) -> bool:
        return all(d.state != "missing" for d in self.documents)

    @property
    def satisfied_by(self) -> dict[str, str]:
        """How each document that is there, of every subject who has one, came, as a decision records it."""
        lacking = {d.document_type for d in self.documents if d.state == "missing"}
        came = [d for d in self.documents if d.state in CAME and d.document_type not in lacking]
        return {d.document_type: d.state for d in came}


def open_bundle(
    run: Run,
    application_id: str,
    reader: str,
    as_of: datetime | None = None,
    *,
    only: str | None = None,
    action: Action = Action.BUNDLE,
) -> Bundle:
    """Open one application's bundle, or `only` one document type of it; `as_of` an earlier instant.

    Raises UsageError for an unknown one, Refused when the read cannot be recorded.
    """
    if as_of is not None and as_of > run.at():
        raise UsageError("What evidence will say is not known. Ask as of an instant that has passed.")
    snapshot = snapshot_of_application(run.conn, application_id)
    if snapshot is None:
        raise _unknown(run, reader)
    at = run.at()
    application: Mapping[str, Any] = snapshot.applications.to_pylist()[0]
    found = judge(snapshot, application, at, only)
    for _ in range(ATTEMPTS):
        ids = record_all(run.conn, _accesses(application, found.judged, reader, action, as_of), at)
        documents = _documents(run, application, found, at, as_of)
        snapshot, at = snapshot_of_application(run.conn, application_id) or snapshot, run.at()
        application = snapshot.applications.to_pylist()[0]
        before, found = found, judge(snapshot, application, at, only)
        if found.judged == before.judged:
            return _bundle(application, reader, at, as_of, snapshot.position, ids, documents)
    raise Refused("Consent for this application is changing while it is read. Try again in a moment.")


def _unknown(run: Run, reader: str) -> UsageError:
    asked = "bundle of an unknown application"
    record(run.conn, Access(reader, Action.BUNDLE, asked, is_granted=False, reason="unknown_application"), run.at())
    return UsageError("There is no such application. `hanbeon application list` shows the ids.")


def _accesses(
    application: Mapping[str, Any], judged: tuple[Judged, ...], reader: str, action: Action, as_of: datetime | None
) -> list[Access]:
    """One record for each document that could come as data; one for the bundle where none could."""
    asked = "bundle" if action is Action.BUNDLE else "paper against data"
    common = {
        "reader": reader,
        "action": action,
        "asked": asked if as_of is None else f"{asked} as of {instant_text(as_of)}",
        "recipient": application["recipient"],
        "service": application["service"],
        "application_id": application["application_id"],
    }
    as_data = [j for j in judged if j.requirement.is_available]
    return [
        Access(
            **common,
            subject_key=j.subject_key,
            document_type=j.requirement.document_type,
            authorisation_id=authorisation_id,
            is_granted=j.is_open,
            reason=j.reason,
        )
        for j in as_data
        for authorisation_id in (j.authorisation_ids or (None,))
    ] or [Access(**common, subject_key=application["applicant_key"])]


def _bundle(
    application: Mapping[str, Any],
    reader: str,
    at: datetime,
    as_of: datetime | None,
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
        as_of=as_of,
        ledger_position=position,
        access_ids=tuple(access_ids),
        documents=documents,
    )


def _documents(
    run: Run, application: Mapping[str, Any], found: Judgement, at: datetime, as_of: datetime | None
) -> tuple[Document, ...]:
    """Each with what `gold/service_bundles` would say of it, and its copies where the share holds them."""
    known, given = evidence(run, found.needed, as_of), asked(run, found.needed)
    rows = stated(found.needed, known, given, seoul_date(as_of or at)).to_pylist()
    states = {(r["RQDOC_CD"], r["_subject_key"]): r for r in rows}
    then = None if as_of is None else Then(as_of, found.allowed)
    return tuple(
        _document(run, application, j, states.get((j.requirement.document_type, j.subject_key), {}), then)
        for j in found.judged
    )


def _document(
    run: Run, application: Mapping[str, Any], judged: Judged, stated_now: Mapping[str, Any], then: Then | None
) -> Document:
    requirement = judged.requirement
    contract = source(requirement.document_type) if requirement.is_available else None
    members = list(application["member_keys"] or ())
    found = _copies(run, application, judged, contract, then) if contract is not None and judged.is_open else ()
    outside = tuple(c for c in requirement.columns if c not in judged.columns) if judged.is_open else ()
    is_fresh = stated_now.get("RQDOC_STTS_NM") == "satisfied_by_data"
    if found and not outside and is_fresh:
        state = "data"
    elif judged.is_paper:
        state = "paper"
    else:
        state = "not_needed" if stated_now.get("RQDOC_STTS_NM") == "not_needed" else "missing"
    why = stated_now.get("RQDOC_STTS_RSN") or "nothing_received"
    why = "nothing_then" if then is not None and why in ("nothing_received", "not_held") else why
    reason = why if state == "not_needed" else judged.reason or ("columns_outside" if outside else why)
    return Document(
        document_type=requirement.document_type,
        korean=document_name(requirement.document_type),
        holder=contract.holder if contract else None,
        variant=requirement.variant,
        one_of=requirement.one_of,
        state=state,
        reason=None if state in CAME else reason,
        fresh_until=stated_now.get("VLD_PRD_EXPRY_YMD"),
        authorisation_ids=judged.authorisation_ids,
        outside=outside,
        copies=found,
        member=members.index(judged.subject_key) + 1 if judged.subject_key in members else None,
    )


def _copies(
    run: Run, application: Mapping[str, Any], judged: Judged, contract: Contract, then: Then | None
) -> tuple[Copy, ...]:
    recipient, variant = application["recipient"], judged.requirement.variant
    return copies(run, contract, recipient, judged.subject_key, variant, judged.columns, then)
