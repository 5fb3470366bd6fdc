"""The consents of the demonstration: agreements, applications, authorisations and papers for the simulated people.

In: `sources.simulate`'s candidates and an open `Run`. Out: ledger events, derived from the world's seed alone, so that
a second run finds them there and adds nothing. A few of each kind of refusal are among them, so that what is withheld
can be seen: withdrawn, paused, expired, not yet valid, and one suspended agreement.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from consent import applications, deaths, gate, ledger, representations, vault
from consent.accesses import Access, Action, record_all
from consent.model import Application, Approval, Capacity, Decision, Grant, Kind, Mode, Scope
from consent.subjects import meet
from hanbeon import authenticating, granting
from pipeline import reading
from pipeline.run import Run
from pipeline.versions import current_state
from schemas import notices
from schemas.contract import gold, source
from schemas.services import Service, service, services

# Of some services' candidates, how many apply; the rest stay at home.
SHARE_APPLYING = {"ECREG_PROPERTY": 0.4}
MOST_APPLICATIONS = 1_200  # of one service
APPLY_TWICE = 3  # one single parent in so many
DECIDED = 2  # one complete bundle in so many is decided at once
STANDING = timedelta(days=365)
ONE_TIME = timedelta(days=90)
CONTRARY = {"withdrawn": 97, "paused": 89, "expired": 83, "later": 79, "refused": 31}  # one in so many
LETTERS = "ABCDEFGHJKLMNPQR"
CHILD = "006"
PERSON, FIRM = "RRN", "CRN"
WRITTEN_IN, OWNED_IN, KINSHIP = "법인 등기사항증명서", "등록원부", "가족관계등록부"
CAME = {"satisfied_by_data": "data", "satisfied_by_paper": "paper"}
PAPER_IN = 3  # one in so many leaves its papers for later


Row = dict[str, Any]
Keys = Mapping[str, Sequence[int]]


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
    rows = candidates.to_pylist()
    for s in services():
        chosen = _choose(s, rows)
        keys = _keys(run, chosen, at)
        acting = _acting(run, chosen, keys, at)
        opened, grants = _apply(s, chosen, keys, acting, _about(run, chosen, keys, acting, at), at)
        applications.open_many(run.conn, opened, at)
        ids = ledger.grant(run.conn, authenticating.simulated(run, grants, at), at)
        _go_contrary(run, ids, at)
        applications.paper_many(run.conn, list(_papers(s, opened)), at)
        total_applications += len(opened)
        total_grants += len(ids)
    return Staged(total_applications, total_grants, len(approvals))


def _choose(s: Service, rows: Sequence[Row]) -> list[Row]:
    """Who applies for a service, without repetition. Some single parents apply for special supply of housing too."""
    own = [r for r in rows if r["service"] == s.id]
    chosen = own[: min(int(len(own) * SHARE_APPLYING.get(s.id, 1.0)), MOST_APPLICATIONS)]
    if s.id == "HOUSING_SUBSCRIPTION":
        chosen += [r for r in rows if r["service"] == "SINGLE_PARENT"][::APPLY_TWICE]
    return list({r["identifier"]: r for r in chosen}.values())


def _keys(run: Run, chosen: Sequence[Row], at: datetime) -> list[int]:
    """A subject key for each applicant, and all her numbers in it: a passport's, a licence's, a firm's two."""
    return meet(run.conn, run.secrets, [_numbers(row["identifier_kind"], row["identifier"], row) for row in chosen], at)


def _numbers(kind: str, identifier: str, row: Row) -> list[tuple[str, str]]:
    return list(dict.fromkeys([(kind, identifier), *((one["kind"], one["identifier"]) for one in row["also"])]))


def _acting(run: Run, chosen: Sequence[Row], keys: Sequence[int], at: datetime) -> dict[int, int]:
    """Who consents for those who cannot themselves: a firm's representative, recorded as such. Key to key."""
    firms = {key: r["grantor_identifier"] for r, key in zip(chosen, keys, strict=True) if _is_represented(r)}
    heads = vault.keys(run.conn, run.secrets, PERSON, list(firms.values()), at).to_pylist()
    for key, head in zip(firms, heads, strict=True):
        representations.record(run.conn, key, head, Capacity.REPRESENTATIVE, WRITTEN_IN, at)
    return dict(zip(firms, heads, strict=True))


def _about(run: Run, chosen: Sequence[Row], keys: Sequence[int], acting: Mapping[int, int], at: datetime) -> list[Keys]:
    """For each applicant the keys of what documents are about besides her: what she owns, and of whom she is heir.

    That she may consent about it is recorded, with where it is written.
    """
    known: dict[tuple[str, str], int] = {}
    for kind in sorted({one["kind"] for row in chosen for one in row["about"]}):
        own = [one["identifier"] for row in chosen for one in row["about"] if one["kind"] == kind]
        subjects = vault.keys(run.conn, run.secrets, kind, own, at).to_pylist()
        known |= {(kind, i): subject for i, subject in zip(own, subjects, strict=True)}
    found: list[Keys] = []
    for row, key in zip(chosen, keys, strict=True):
        mine: dict[str, list[int]] = {}
        for one in row["about"]:
            subject, grantor = known[one["kind"], one["identifier"]], acting.get(key, key)
            mine.setdefault(one["kind"], []).append(subject)
            capacity = Capacity.OWNER if one["died_on"] is None else Capacity.HEIR
            if one["died_on"] is not None:
                deaths.record(run.conn, subject, one["died_on"], KINSHIP, at)
            representations.record(run.conn, subject, grantor, capacity, KINSHIP if one["died_on"] else OWNED_IN, at)
        found.append(mine)
    return found


def _is_represented(row: Row) -> bool:
    return row["identifier_kind"] == FIRM and row["grantor_identifier"] is not None


def _number(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256("|".join(map(str, parts)).encode()).digest()[:8], "big")


def _letters(number: int) -> str:
    """Sixteen letters for a 64-bit number: an id with long runs of digits could look like a resident number (F45)."""
    return "".join(LETTERS[number >> shift & 15] for shift in range(60, -4, -4))


def application_id(s: Service, key: int) -> str:
    return f"A-{_letters(_number('application', s.id, key))}"


def _apply(
    s: Service,
    chosen: Sequence[Row],
    keys: Sequence[int],
    acting: Mapping[int, int],
    about: Sequence[Keys],
    at: datetime,
) -> tuple[list[Application], list[Grant]]:
    opened, grants = [], []
    for row, key, others in zip(chosen, keys, about, strict=True):
        application = Application(application_id(s, key), s.id, s.recipient, key, at, row["identifier_kind"])
        opened.append(application)
        number = _number("refuses", s.id, key)
        is_refusing = number % CONTRARY["refused"] == 0  # the papers come by hand, and the application goes on
        given = _granted(s, application, key, acting.get(key), others, at, number)
        grants += [g for g in given if g.kind is Kind.STATUTE or not is_refusing]
    return opened, grants


def _granted(
    s: Service, application: Application, key: int, acting: int | None, about: Keys, at: datetime, number: int
) -> list[Grant]:
    """As the service desk would record it, but for the end, and ids that derive from the seed."""
    starts = at + timedelta(days=30) if number % CONTRARY["later"] == 0 else at
    if number % CONTRARY["expired"] == 0:
        starts, until = at - timedelta(days=400), at - timedelta(days=35)
    else:
        until = starts + (STANDING if s.mode == "standing" else ONE_TIME)
    capacity = Capacity.SELF if acting is None else Capacity.REPRESENTATIVE
    wanted = granting.grants(s, str(application.applicant_kind), key, application.application_id, starts, until,
                             about=about, grantor_key=acting, capacity=capacity)  # fmt: skip
    return [
        replace(
            one,
            retain_until=until + timedelta(days=5),
            cycle=None,  # asked at each run: the demonstration lets weeks pass in minutes
            authorisation_id=f"C-{_letters(_number('authorisation', s.id, key, n))}",
        )
        for n, one in enumerate(wanted)
    ]


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
    for application in opened:
        if _number("paper", application.application_id) % PAPER_IN:
            for needed in s.needed_of(str(application.applicant_kind)):
                if not needed.is_available:
                    yield str(application.application_id), needed.document_type


def regrant(run: Run, authorisation_id: str, at: datetime) -> str:
    """What was withdrawn is granted once more: a new authorisation with the same scopes. Returns its id."""
    rows = [
        r for r in ledger.snapshot(run.conn).authorisations.to_pylist() if r["authorisation_id"] == authorisation_id
    ]
    first = rows[0]
    again = Grant(
        kind=Kind(first["kind"]),
        grantor_key=first["_grantor_key"],
        application_id=first["application_id"],
        recipient=first["recipient"],
        service=first["service"],
        purpose=first["purpose"],
        legal_basis=first["legal_basis"],
        mode=Mode(first["mode"]),
        valid_from=at,
        valid_until=at + ONE_TIME,
        retain_until=at + ONE_TIME,
        scopes=tuple(
            Scope(r["_subject_key"], r["document_type"], r["variant"], tuple(r["columns"]), r["holder"]) for r in rows
        ),
        grounds=_grounds(service(first["service"]), {r["document_type"] for r in rows}),
        identifier_statute=first["identifier_statute"],
    )
    return ledger.grant(run.conn, authenticating.simulated(run, [again], at), at)[0]


def _grounds(s: Service, documents: Collection[str]) -> tuple[str, ...]:
    """Every separate consent that these documents ask for: the demonstration's citizens give them all."""
    asked = [r for r in s.data_requirements if r.document_type in documents]
    return () if s.authorisation == "statute" else notices.grounds(asked)


def decide(run: Run) -> int:
    """Case workers decide some of the applications whose bundle is complete; how many were decided now.

    Each reads the bundle's states first, and the read is recorded before (P9). Of an applicant with two applications
    neither is decided, so that overlapping consents stay to be looked at.
    """
    bundles = reading.read(run, "gold/service_bundles", gold("service_bundles").gold_schema).to_pylist()
    of_application: dict[str, dict[str, str]] = {}
    keys: dict[str, set[str]] = {}
    for row in bundles:
        keys.setdefault(str(row["_subject_key"]), set()).add(row["APLY_NO"])
        if row["BNDL_CMPTN_YN"] == "Y":
            own = of_application.setdefault(row["APLY_NO"], {})
            if row["RQDOC_STTS_NM"] in CAME:
                own[row["RQDOC_CD"]] = CAME[row["RQDOC_STTS_NM"]]
    twice = {application for several in keys.values() if len(several) > 1 for application in several}
    due = [a for a in sorted(of_application) if a not in twice and _number("decides", a) % DECIDED == 0]
    services_of = {row["APLY_NO"]: (row["SRVC_NO"], row["UTZTN_INST_CD"]) for row in bundles}
    record_all(
        run.conn,
        [
            Access("demo:case-worker", Action.BUNDLE, "bundle", services_of[a][1], services_of[a][0], application_id=a)
            for a in due
        ],
        run.at(),
    )
    for application in due:
        applications.decide(run.conn, application, Decision.APPROVED, run.at(), of_application[application])
    return len(due)


def family(run: Run) -> tuple[str, str] | None:
    """A family to walk with: a complete SINGLE_PARENT application, and another service's authorisation to withdraw.

    The two authorisations overlap on documents; None when nobody is left who has both.
    """
    snapshot = ledger.snapshot(run.conn)
    allowed = gate.allowed(snapshot, run.at()).to_pylist()
    standing = {r["_subject_key"]: r["authorisation_id"] for r in allowed if r["service"] == "HOUSING_SUBSCRIPTION"}
    bundles = reading.read(run, "gold/service_bundles", gold("service_bundles").gold_schema).to_pylist()
    with_child = _subjects_with_child(run)
    found = [
        row
        for row in bundles
        if row["SRVC_NO"] == "SINGLE_PARENT" and row["BNDL_CMPTN_YN"] == "Y" and row["_subject_key"] in standing
    ]
    for row in sorted(found, key=lambda r: (r["_subject_key"] not in with_child, str(r["APLY_NO"]))):
        return str(row["APLY_NO"]), str(standing[row["_subject_key"]])
    return None


def _subjects_with_child(run: Run) -> set[int]:
    """Whose family certificate shows a child: that of a widowed parent, not of a divorced one (general variant)."""
    lines = gold("family_relation_certificate__relatives")
    held = reading.read(run, f"gold/{lines.name}", lines.gold_schema)
    rows = current_state(held).select(["_subject_key", "FAM_REL_CD"])
    return {r["_subject_key"] for r in rows.to_pylist() if r["FAM_REL_CD"] == CHILD}


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
