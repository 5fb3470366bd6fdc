"""P1: the gate's SQL says the same as a plain reading of the rules, on random ledgers (Hypothesis)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent import gate
from consent.model import Capacity, Reason
from schemas.contract import sources
from schemas.services import services
from tests.consent.making import AT, DAY, SECOND, approval_row, authorisation_row, death_row, snapshot_of

CONTRACTS = {c.document_type: c for c in sources()}
SERVICES = {s.id: s for s in services()}

INSTANTS = st.sampled_from([AT - DAY, AT - SECOND, AT, AT + SECOND, AT + DAY, None])
DOCUMENTS = st.sampled_from(["RRT", "RRT", "FAMR", "FAMR", "INSV", "ZZZZ", None])
HOLDERS = st.sampled_from(["mois", "mois", "scourt", "nts", None])
RECIPIENTS = st.sampled_from(["mogef", "mogef", "mogef", "mohw", None])
PURPOSES = st.sampled_from([SERVICES["SINGLE_PARENT"].purpose] * 3 + [SERVICES["DISABILITY_PENSION"].purpose, None])
# ZIP and CLANSEAT are in the contracts, but SINGLE_PARENT needs neither.
COLUMNS = st.sampled_from(
    [
        *(["STDG_CD"], ["SELF_FLNM"], ["STDG_CD", "X"], [], [None], ["STDG_CD", None], None),
        *(["ZIP", "STDG_CD"], ["ZIP"], ["SELF_FLNM", "CLANSEAT"], ["CLANSEAT"]),
    ]
)


PERSONS = st.sampled_from([1, 1, 2, 2, 3])
CAPACITIES = st.sampled_from([Capacity.GUARDIAN_OF_CHILD, *[Capacity.GUARDIAN_OF_WARD] * 3, Capacity.HEIR, None])
BEGINNINGS = st.sampled_from([AT - DAY] * 4 + [AT, AT + SECOND])


@st.composite
def representations(draw: st.DrawFn) -> dict[str, Any]:
    capacity = draw(CAPACITIES.filter(bool))
    is_child = capacity == Capacity.GUARDIAN_OF_CHILD
    return {
        "represented_key": draw(PERSONS),
        "representative_key": draw(PERSONS),
        "capacity": capacity,
        "valid_from": draw(BEGINNINGS),
        "valid_until": draw(INSTANTS),
        "of_age_at": draw(INSTANTS.filter(bool)) if is_child else None,
    }


@st.composite
def blocks(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "victim_key": draw(PERSONS),
        "restricted_key": draw(PERSONS),
        "valid_from": draw(INSTANTS.filter(bool)),
        "valid_until": draw(INSTANTS),
    }


@dataclass(frozen=True)
class Facts:
    """What is recorded about persons: who acts for whom, who has died, who is hidden from whom."""

    representations: list[dict[str, Any]]
    deaths: list[int]
    blocks: list[dict[str, Any]]


FACTS = st.builds(
    Facts,
    st.lists(representations(), max_size=8),
    st.sampled_from([[], [], [], [1], [2, 3]]),
    st.lists(blocks(), max_size=2),
)


@st.composite
def authorisations(draw: st.DrawFn) -> dict[str, Any]:
    """Mostly good rows, with one or a few members changed."""
    row = authorisation_row(authorisation_id=draw(st.sampled_from(["a", "b", "c"])), _subject_key=draw(PERSONS))
    if draw(st.booleans()):
        row |= {"_grantor_key": draw(PERSONS), "grantor_capacity": draw(CAPACITIES)}
    if draw(st.booleans()):
        row |= {"document_type": "FAMR", "holder": "scourt", "variant": "general", "columns": ["SELF_FLNM"]}
    changes = {
        "document_type": DOCUMENTS,
        "holder": HOLDERS,
        "recipient": RECIPIENTS,
        "purpose": PURPOSES,
        "service": st.sampled_from(["SINGLE_PARENT", "DISABILITY_PENSION", "NO_SUCH", None]),
        "variant": st.sampled_from(["specific", "general", "detailed", "members_included", "no_such", None]),
        "columns": COLUMNS,
        "valid_from": INSTANTS,
        "valid_until": INSTANTS,
        "state": st.sampled_from(["granted", "paused", "withdrawn", "expired", "consumed", "odd", None]),
        "mode": st.sampled_from(["one_time", "standing", "odd", None]),
        "kind": st.sampled_from(["consent", "demand", "statute", "odd", None]),
        "proof_digest": st.sampled_from(["ab" * 32, None]),
        "used_count": st.sampled_from([0, 1, 2, None]),
        "identifier_statute": st.sampled_from(["주민등록법 제30조", "", None]),
        "frequency_cap": st.sampled_from([None, 1, 2]),
        "retain_until": INSTANTS,
        "_grantor_key": st.sampled_from([1, 2, 3, None]),
        "grantor_capacity": st.sampled_from([*Capacity, "odd", None]),
        "_subject_key": st.sampled_from([1, None]),
        "authorisation_id": st.sampled_from(["a", None]),
    }
    for name in draw(st.lists(st.sampled_from(sorted(changes)), max_size=3, unique=True)):
        row[name] = draw(changes[name])
    return row


@st.composite
def approvals(draw: st.DrawFn) -> dict[str, Any]:
    row = approval_row()
    if draw(st.booleans()):
        row |= {"document_type": "FAMR", "holder": "scourt"}
    changes = {
        "document_type": DOCUMENTS,
        "holder": HOLDERS,
        "recipient": RECIPIENTS,
        "purpose": PURPOSES,
        "valid_from": INSTANTS,
        "valid_until": INSTANTS,
        "state": st.sampled_from(["active", "suspended", "ended", "odd", None]),
    }
    for name in draw(st.lists(st.sampled_from(sorted(changes)), max_size=2, unique=True)):
        row[name] = draw(changes[name])
    return row


def expected(a: dict[str, Any], agreements: list[dict[str, Any]], facts: Facts, at: datetime) -> Reason | None:
    """The rules in the order of `Reason`, read one by one."""
    if a["document_type"] == "INSV":
        return Reason.NEVER_SHAREABLE
    if (a["_subject_key"], a["_grantor_key"]) in [
        (b["victim_key"], b["restricted_key"]) for b in facts.blocks if in_force(b, at)
    ]:
        return Reason.DISCLOSURE_BLOCKED
    deciding = ["authorisation_id", "_subject_key", "document_type", "variant", "columns", "holder", "recipient"]
    deciding += [
        "service",
        "purpose",
        "valid_from",
        "valid_until",
        "kind",
        "mode",
        "state",
        "used_count",
        "retain_until",
    ]
    deciding += [] if a["kind"] == "statute" else ["_grantor_key"]
    if any(a[name] is None for name in deciding) or not a["columns"] or None in a["columns"]:
        return Reason.INCOMPLETE
    if "odd" in (a["kind"], a["mode"], a["state"]):
        return Reason.INCOMPLETE
    if a["kind"] != "statute" and a.get("proof_digest") is None:
        return Reason.NO_EVIDENCE
    if a["state"] == "withdrawn":
        return Reason.WITHDRAWN
    if a["state"] == "consumed" or (a["mode"] == "one_time" and a["used_count"]):
        return Reason.CONSUMED
    if a["state"] == "expired" or at >= a["valid_until"]:
        return Reason.EXPIRED
    if a["state"] == "paused":
        return Reason.PAUSED
    if at < a["valid_from"]:
        return Reason.NOT_YET_VALID
    if at >= a["retain_until"]:
        return Reason.DATA_LIFE_OVER
    return _incapable(a, facts, at) or _outside(a) or _disapproved(a, agreements, at)


def in_force(row: dict[str, Any], at: datetime) -> bool:
    return bool(row["valid_from"] <= at and (row["valid_until"] is None or at < row["valid_until"]))


def _incapable(a: dict[str, Any], facts: Facts, at: datetime) -> Reason | None:
    """F42: the dead and children consent to nothing; who consents for somebody else needs to be somebody to her."""
    if a["kind"] == "statute":
        return None
    grantor, subject, capacity = a["_grantor_key"], a["_subject_key"], a.get("grantor_capacity")
    if grantor in facts.deaths:
        return Reason.GRANTOR_DECEASED
    if any(r["represented_key"] == grantor and r["of_age_at"] and at < r["of_age_at"] for r in facts.representations):
        return Reason.UNDER_AGE
    if grantor == subject:
        return None if capacity in (None, *Capacity) else Reason.NO_CAPACITY
    said = (subject, grantor, capacity)
    mine = [r for r in facts.representations if (r["represented_key"], r["representative_key"], r["capacity"]) == said]
    is_dead, holds = subject in facts.deaths, any(in_force(r, at) for r in mine)
    if holds and (capacity == Capacity.HEIR) == is_dead:
        return None
    is_over = any(r["valid_until"] is not None and r["valid_until"] <= at for r in mine)
    if capacity in (Capacity.GUARDIAN_OF_CHILD, Capacity.GUARDIAN_OF_WARD) and (is_over or (holds and is_dead)):
        return Reason.GUARDIANSHIP_ENDED
    return Reason.NO_CAPACITY


def _outside(a: dict[str, Any]) -> Reason | None:
    contract = CONTRACTS.get(a["document_type"])
    if contract is None:
        return Reason.UNKNOWN_DOCUMENT_TYPE
    if contract.subject_identifier_kind == "RRN" and not (a.get("identifier_statute") or "").strip():
        return Reason.NO_IDENTIFIER_STATUTE
    if contract.holder != a["holder"]:
        return Reason.WRONG_HOLDER
    if not set(a["columns"]) <= set(contract.column_paths):
        return Reason.COLUMN_OUTSIDE_CONTRACT
    service = SERVICES.get(a["service"])
    needed = [r for r in service.requirements if r.document_type == a["document_type"]] if service else []
    if not service or not needed or (service.recipient, service.purpose) != (a["recipient"], a["purpose"]):
        return Reason.OUTSIDE_SERVICE
    if not _narrowed(a):
        return Reason.OUTSIDE_SERVICE
    if a["kind"] == "statute" and not any(r.authorisation == "statute" for r in needed):
        return Reason.WRONG_GROUND
    order = contract.variants
    if a["variant"] not in order or order.index(a["variant"]) > order.index(needed[0].variant or ""):
        return Reason.WIDER_VARIANT
    return None


def _narrowed(a: dict[str, Any]) -> list[str]:
    """The granted columns that the service needs, in the order of the grant (P2)."""
    needed = {
        c for r in SERVICES[a["service"]].requirements if r.document_type == a["document_type"] for c in r.columns
    }
    return [c for c in a["columns"] if c in needed]


def _disapproved(a: dict[str, Any], agreements: list[dict[str, Any]], at: datetime) -> Reason | None:
    names = ("holder", "recipient", "document_type", "purpose")
    mine = [p for p in agreements if all(p[n] == a[n] for n in names)]

    def contains(p: dict[str, Any]) -> bool:
        return p["valid_from"] is not None and p["valid_until"] is not None and p["valid_from"] <= at < p["valid_until"]

    if any(p["state"] == "active" and contains(p) for p in mine):
        return None
    if not mine:
        return Reason.NO_APPROVAL
    if any(p["state"] == "suspended" and contains(p) for p in mine):
        return Reason.APPROVAL_SUSPENDED
    if any(p["state"] == "ended" or (p["valid_until"] is not None and p["valid_until"] <= at) for p in mine):
        return Reason.APPROVAL_ENDED
    return Reason.APPROVAL_NOT_YET_VALID


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(
    st.lists(authorisations(), min_size=1, max_size=25),
    st.lists(approvals(), max_size=4),
    FACTS,
    st.sampled_from([AT, AT + SECOND]),
)
def test_p1_the_gate_agrees_with_a_plain_reading_of_the_rules(
    rows: list[dict[str, Any]], agreements: list[dict[str, Any]], facts: Facts, at: datetime
) -> None:
    snapshot = snapshot_of(
        rows,
        agreements,
        representations=facts.representations,
        deaths=[death_row(key) for key in facts.deaths],
        blocks=facts.blocks,
    )
    reasons = [expected(row, agreements, facts, at) for row in rows]
    judged = gate.judged(snapshot, at).to_pylist()
    assert [(row["flows"], row["reason"]) for row in judged] == [(reason is None, reason) for reason in reasons]
    flowing = [(row["authorisation_id"], _narrowed(row)) for row, r in zip(rows, reasons, strict=True) if r is None]
    allowed = gate.allowed(snapshot, at).to_pylist()
    assert [(row["authorisation_id"], row["columns"]) for row in allowed] == flowing
