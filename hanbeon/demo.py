"""The consents of the demonstration: agreements, applications, authorisations and papers for the simulated people.

In: `sources.simulate`'s candidates and an open `Run`. Out: ledger events, derived from the world's seed alone, so that
a second run finds them there and adds nothing. A few of each kind of refusal are among them, so that what is withheld
can be seen: withdrawn, paused, expired, not yet valid, and one suspended agreement.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from consent import applications, ledger, vault
from consent.model import Application, Approval, Grant, Kind, Mode, Scope
from pipeline.run import Run
from schemas.contract import source
from schemas.services import Service, services

# Of each service's candidates, how many apply; the rest stay at home.
SHARE_APPLYING = {
    "SINGLE_PARENT": 1.0,
    "DISABILITY_PENSION": 1.0,
    "NHIS_WORKPLACE": 1.0,
    "ECREG_PROPERTY": 0.4,
    "HOUSING_SUBSCRIPTION": 1.0,
}
MOST_APPLICATIONS = 1_200  # of one service
STANDING = timedelta(days=365)
ONE_TIME = timedelta(days=90)
CONTRARY = {"withdrawn": 97, "paused": 89, "expired": 83, "later": 79, "refused": 31}  # one in so many
LETTERS = "ABCDEFGHJKLMNPQR"
PAPER_IN = 3  # one in so many leaves its papers for later


@dataclass(frozen=True)
class Staged:
    """What the demonstration put into the ledger."""

    applications: int
    authorisations: int
    approvals: int


def consents(run: Run, candidates: pa.Table, at: datetime) -> Staged:
    """Record the demonstration's consents once. A ledger that is not empty is left alone."""
    if ledger.position(run.conn):
        return Staged(0, 0, 0)
    approvals = _approvals(at)
    for approval in approvals:
        ledger.approve(run.conn, approval, at)
    total_applications = total_grants = 0
    for s in services():
        chosen = _choose(s, candidates)
        keys = vault.keys(run.conn, run.secrets, _identifier_kind(s), chosen, at).to_pylist()
        opened, grants = _apply(s, keys, at)
        applications.open_many(run.conn, opened, at)
        ids = ledger.grant(run.conn, grants, at)
        _go_contrary(run, ids, at)
        applications.paper_many(run.conn, list(_papers(s, opened)), at)
        total_applications += len(opened)
        total_grants += len(ids)
    return Staged(total_applications, total_grants, len(approvals))


def _identifier_kind(s: Service) -> str:
    return source(s.data_requirements[0].document_type).subject_identifier_kind


def _choose(s: Service, candidates: pa.Table) -> list[str]:
    of_service = [r["identifier"] for r in candidates.to_pylist() if r["service"] == s.id]
    return of_service[: min(int(len(of_service) * SHARE_APPLYING[s.id]), MOST_APPLICATIONS)]


def _number(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256("|".join(map(str, parts)).encode()).digest()[:8], "big")


def _letters(number: int) -> str:
    """Sixteen letters for a 64-bit number: an id with long runs of digits could look like a resident number (F45)."""
    return "".join(LETTERS[number >> shift & 15] for shift in range(60, -4, -4))


def application_id(s: Service, key: int) -> str:
    return f"A-{_letters(_number('application', s.id, key))}"


def _apply(s: Service, keys: Iterable[int], at: datetime) -> tuple[list[Application], list[Grant]]:
    opened, grants = [], []
    for key in keys:
        application = Application(application_id(s, key), s.id, s.recipient, key, at)
        opened.append(application)
        number = _number("refuses", s.id, key)
        if s.authorisation != "statute" and number % CONTRARY["refused"] == 0:
            continue  # refuses consent; the papers come by hand, and the application goes on
        grants.append(_grant(s, application, key, at, number))
    return opened, grants


def _grant(s: Service, application: Application, key: int, at: datetime, number: int) -> Grant:
    is_standing = s.mode == "standing"
    starts = at + timedelta(days=30) if number % CONTRARY["later"] == 0 else at
    if number % CONTRARY["expired"] == 0:
        starts, until = at - timedelta(days=400), at - timedelta(days=35)
    else:
        until = starts + (STANDING if is_standing else ONE_TIME)
    return Grant(
        kind=Kind(s.authorisation),
        grantor_key=None if s.authorisation == "statute" else key,
        application_id=None if is_standing else application.application_id,
        recipient=s.recipient,
        service=s.id,
        purpose=s.purpose,
        legal_basis=s.legal_basis,
        mode=Mode(s.mode),
        valid_from=starts,
        valid_until=until,
        retain_until=until + timedelta(days=5),
        scopes=tuple(
            Scope(key, r.document_type, r.variant or "", r.columns, source(r.document_type).holder)
            for r in s.data_requirements
        ),
        cycle="monthly" if is_standing else None,
        grantor_capacity=None if s.authorisation == "statute" else "self",
        authorisation_id=f"C-{_letters(_number('authorisation', s.id, key))}",
    )


def _go_contrary(run: Run, ids: list[str], at: datetime) -> None:
    """Some citizens change their mind, as citizens do."""
    for authorisation_id in ids:
        number = _number("contrary", authorisation_id)
        if number % CONTRARY["withdrawn"] == 0:
            ledger.withdraw(run.conn, authorisation_id, at)
        elif number % CONTRARY["paused"] == 0:
            ledger.pause(run.conn, authorisation_id, at)


def _papers(s: Service, opened: list[Application]) -> Iterable[tuple[str, str]]:
    """(application, document type) brought on paper: what data cannot give yet, by most who apply."""
    lacking = [r.document_type for r in s.requirements if not r.is_available]
    for application in opened:
        if _number("paper", application.application_id) % PAPER_IN:
            for document_type in lacking:
                yield str(application.application_id), document_type


def _approvals(at: datetime) -> list[Approval]:
    """The agreement behind every flow that a service needs (e-Gov Act 39)."""
    return [
        Approval(
            holder=source(r.document_type).holder,
            recipient=s.recipient,
            document_type=r.document_type,
            purpose=s.purpose,
            legal_basis="전자정부법 제39조",
            valid_from=at - timedelta(days=1),
            valid_until=at + timedelta(days=3 * 365),
        )
        for s in services()
        for r in s.data_requirements
    ]


