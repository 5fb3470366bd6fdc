"""The consents of the demonstration: agreements, applications, authorisations and papers for the simulated people.

In: `sources.simulate`'s candidates and an open `Run`. Out: ledger events, derived from the world's seed alone, so that
a second run finds them there and adds nothing. A few of each kind of refusal are among them, so that what is withheld
can be seen: withdrawn, paused, expired, not yet valid, and one suspended agreement.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pyarrow as pa

from consent import applications, gate, ledger
from consent.accesses import Access, Action, record_all
from consent.model import Application, Approval, Capacity, Decision, Grant, Kind
from hanbeon import authenticating, contrary, demo_people, granting
from hanbeon.demo_people import Keys, Member, Row
from pipeline import reading
from pipeline.run import Run
from pipeline.versions import current_state
from schemas.contract import gold, source
from schemas.services import Service, services

MOST_APPLICATIONS = 1_200  # of one service
APPLY_TWICE = 3  # one single parent in so many
DECIDED = 2  # one complete bundle in so many is decided at once
STANDING = timedelta(days=365)
ONE_TIME = timedelta(days=90)
CONTRARY = {"withdrawn": 97, "paused": 89, "expired": 83, "later": 79, "refused": 31}  # one in so many
LETTERS = "ABCDEFGHJKLMNPQR"
CHILD = "006"
CAME = {"satisfied_by_data": "data", "satisfied_by_paper": "paper"}
PAPER_IN = 3  # one in so many leaves its papers for later
EARLIER_CASE = 4  # one in so many has been before the court already
DRAWN = (contrary.REFUSED, contrary.LATER, contrary.EXPIRED)  # of one application; the others of one authorisation


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
        keys = demo_people.keys(run, chosen, at)
        acting = demo_people.acting(run, chosen, keys, at)
        demo_people.hide(run, chosen, keys, at)
        about, members = demo_people.about(run, chosen, keys, acting, at), demo_people.members(run, chosen, at)
        opened, grants, does = _apply(s, chosen, keys, acting, about, members, at)
        applications.open_many(run.conn, opened, at)
        ids = ledger.grant(run.conn, authenticating.simulated(run, grants, at), at)
        _go_contrary(run, ids, does, at)
        applications.paper_many(run.conn, list(_papers(s, opened)), at)
        total_applications += len(opened)
        total_grants += len(ids)
    return Staged(total_applications, total_grants, len(approvals))


def _choose(s: Service, rows: Sequence[Row]) -> list[Row]:
    """Who applies for a service, without repetition. Some single parents apply for special supply of housing too."""
    own = [r for r in rows if r["service"] == s.id]
    chosen = own[:MOST_APPLICATIONS]
    if s.id == "HOUSING_SUBSCRIPTION":
        chosen += [r for r in rows if r["service"] == "SINGLE_PARENT"][::APPLY_TWICE]
    return list({r["identifier"]: r for r in chosen}.values())


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
    members: Sequence[Sequence[Member]],
    at: datetime,
) -> tuple[list[Application], list[Grant], list[str | None]]:
    """The applications, their authorisations, and what the citizen then does with each of these."""
    opened, grants, then = [], [], []
    plan = contrary.planned(s, chosen)
    for row, key, things, household, planned in zip(chosen, keys, about, members, plan, strict=True):
        named = tuple(m.key for m in household)
        kind = row["identifier_kind"]
        application = Application(
            application_id(s, key), s.id, s.recipient, key, at, kind, named, _not_concerned(s, kind, key)
        )
        opened.append(application)
        does = planned or _drawn(s, key)
        given = _granted(s, application, row, acting.get(key), things, household, at, does)
        if does == contrary.REFUSED:  # the papers come by hand, and the application goes on
            given = [g for g in given if g.kind is Kind.STATUTE]
        grants += given
        then += [contrary.SPARED if planned and g.kind is Kind.STATUTE else planned for g in given]
    return opened, grants, then


def _drawn(s: Service, key: int) -> str | None:
    number = _number("refuses", s.id, key)
    return next((does for does in DRAWN if number % CONTRARY[does] == 0), None)


def _not_concerned(s: Service, kind: str, key: int) -> tuple[str, ...]:
    """Court records that nobody may ask for: most who apply say that there are none."""
    waived = [r.document_type for r in s.needed_of(kind) if r.is_if_held and not r.is_available]
    return tuple(waived) if _number("earlier case", s.id, key) % EARLIER_CASE else ()


def _granted(
    s: Service,
    application: Application,
    row: Row,
    acting: int | None,
    about: Keys,
    household: Sequence[Member],
    at: datetime,
    does: str | None,
) -> list[Grant]:
    """As the service desk would record it, but for the end, and ids that derive from the seed."""
    key, kind = application.applicant_key, str(application.applicant_kind)
    starts = at + timedelta(days=30) if does == contrary.LATER else at
    if does == contrary.EXPIRED:
        starts, until = at - timedelta(days=400), at - timedelta(days=35)
    else:
        until = starts + (STANDING if s.mode == "standing" else ONE_TIME)
    capacity = Capacity.SELF if acting is None else Capacity.REPRESENTATIVE
    wanted = granting.grants(s, kind, key, application.application_id, starts, until, _documents(s, kind, row, about),
                             about=about, grantor_key=acting, capacity=capacity)  # fmt: skip
    for one in household[: -1 if does == contrary.MEMBER else None]:
        if one.grantor_key is not None:
            wanted += granting.grants(s, kind, one.key, application.application_id, starts, until,
                                      grantor_key=one.grantor_key, capacity=one.capacity, is_member=True)  # fmt: skip
    return [
        replace(
            one,
            retain_until=until + timedelta(days=5),
            cycle=None,  # asked at each run: the demonstration lets weeks pass in minutes
            authorisation_id=f"C-{_letters(_number('authorisation', s.id, key, n))}",
        )
        for n, one in enumerate(wanted)
    ]


def _documents(s: Service, kind: str, row: Row, about: Keys) -> list[str]:
    """Of documents of which one is enough those that the applicant has; empty where there is no choice."""
    if not row["chosen"]:
        return []
    return [
        r.document_type
        for r in s.needed_of(kind)
        if r.is_available
        and (r.one_of is None or r.document_type in row["chosen"])
        and (r.about in granting.PERSONS or source(r.document_type).subject_identifier_kind in about)
    ]


def _go_contrary(run: Run, ids: Sequence[str], does: Sequence[str | None], at: datetime) -> None:
    """Some citizens change their mind, as citizens do."""
    for authorisation_id, planned in zip(ids, does, strict=True):
        number = _number("contrary", authorisation_id)
        if planned == contrary.WITHDRAWN or (planned is None and number % CONTRARY["withdrawn"] == 0):
            ledger.withdraw(run.conn, authorisation_id, at)
        elif planned == contrary.PAUSED or (planned is None and number % CONTRARY["paused"] == 0):
            ledger.pause(run.conn, authorisation_id, at)


def _papers(s: Service, opened: list[Application]) -> Iterable[tuple[str, str]]:
    """(application, document type) brought on paper: what data cannot give yet, by most who apply."""
    for application in opened:
        if _number("paper", application.application_id) % PAPER_IN:
            for needed in s.needed_of(str(application.applicant_kind)):
                if not needed.is_available and needed.document_type not in application.not_concerned:
                    yield str(application.application_id), needed.document_type


def decide(run: Run) -> int:
    """Case workers decide some of the applications whose bundle is complete; how many were decided now.

    Each reads the bundle's states first, and the read is recorded before (P9). Of an applicant with two applications
    neither is decided, so that overlapping consents stay to be looked at, nor is one of each service and kind.
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
    kept = twice | _first_of_each(run, of_application)
    due = [a for a in sorted(of_application) if a not in kept and _number("decides", a) % DECIDED == 0]
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


def _first_of_each(run: Run, complete: Collection[str]) -> set[str]:
    """Of each service and kind of applicant one complete application."""
    opened = applications.applications(run.conn, state="open").to_pylist()
    kinds = {a["application_id"]: (a["service"], a["applicant_kind"]) for a in opened}
    return set({kinds[a]: a for a in sorted(complete, reverse=True) if a in kinds}.values())


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


def waiting_household(run: Run) -> str | None:
    """An application of a household that lacks nothing but the consent of a member; None where there is none."""
    bundles = reading.read(run, "gold/service_bundles", gold("service_bundles").gold_schema).to_pylist()
    opened = applications.applications(run.conn, state="open").to_pylist()
    households = {a["application_id"]: set(a["member_keys"]) for a in opened if a["member_keys"]}
    lacking: dict[str, set[tuple[int, str]]] = {}
    for row in bundles:
        if row["APLY_NO"] in households and row["RQDOC_STTS_NM"] not in (*CAME, "not_needed"):
            lacking.setdefault(row["APLY_NO"], set()).add((row["_subject_key"], row["RQDOC_STTS_RSN"]))
    waiting = [
        (-len(households[a]), a)
        for a, own in lacking.items()
        if all(key in households[a] and why == "no_authorisation" for key, why in own)
    ]
    return min(waiting)[1] if waiting else None


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
