"""Who may consent: the subject, or who is recorded to act for her, and nobody for the dead (F42, F7)."""

from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from consent import deaths, gate, ledger, representations
from consent.errors import ForbiddenTransition
from consent.model import Capacity, Reason
from hanbeon.errors import GateRefused, UsageError
from schemas.contract import source
from schemas.services import service
from tests.consent.making import (
    AT,
    DAY,
    SECOND,
    approval,
    approval_row,
    authorisation_row,
    death_row,
    grant,
    proof,
    representation_row,
    scope,
    snapshot_of,
    standing,
)

SUBJECT, OTHER = 7, 9
EVIDENCE = "GRDN 2026-00001"
CHILD: dict[str, Any] = {"capacity": "guardian_of_child", "valid_until": AT + DAY, "of_age_at": AT + DAY}


def reason_of(capacity: str | None, *recorded: dict[str, Any], at: Any = AT, dead: tuple[int, ...] = ()) -> str | None:
    row = authorisation_row(_grantor_key=OTHER, grantor_capacity=capacity, valid_from=AT - DAY)
    snapshot = snapshot_of([row], [approval_row()], representations=recorded, deaths=[death_row(key) for key in dead])
    assert gate.allowed(snapshot, at).num_rows == (gate.explain(snapshot, at, "auth-1")[0][2] is None)
    return gate.explain(snapshot, at, "auth-1")[0][2]


@pytest.mark.parametrize("capacity", [c for c in Capacity if c not in (Capacity.SELF, Capacity.HEIR)])
def test_somebody_elses_consent_needs_a_recorded_capacity_of_its_own_kind(capacity: str) -> None:
    dates = {n: v for n, v in CHILD.items() if capacity == "guardian_of_child"}
    recorded = representation_row(**{**dates, "capacity": capacity})
    assert reason_of(capacity) is Reason.NO_CAPACITY
    assert reason_of(capacity, recorded) is None
    assert reason_of(capacity, representation_row(**{**dates, "capacity": "other"})) is Reason.NO_CAPACITY
    assert reason_of(None, recorded) is Reason.NO_CAPACITY
    assert reason_of("self", recorded) is Reason.NO_CAPACITY
    assert reason_of(capacity, {**recorded, "representative_key": 8}) is Reason.NO_CAPACITY
    assert reason_of(capacity, {**recorded, "represented_key": 8}) is Reason.NO_CAPACITY


@pytest.mark.parametrize(
    ("moved", "expected"),
    [(-SECOND, None), (0 * SECOND, Reason.GUARDIANSHIP_ENDED), (SECOND, Reason.GUARDIANSHIP_ENDED)],
)
def test_f42_f7_a_guardians_consent_is_suspended_from_the_14th_birthday(
    moved: timedelta, expected: Reason | None
) -> None:
    assert reason_of("guardian_of_child", representation_row(**CHILD), at=AT + DAY + moved) is expected


@pytest.mark.parametrize(("moved", "expected"), [(-SECOND, Reason.NO_CAPACITY), (0 * SECOND, None), (SECOND, None)])
def test_f7_a_representation_holds_from_its_instant(moved: timedelta, expected: Reason | None) -> None:
    assert reason_of("guardian_of_ward", representation_row(), at=AT + moved) is expected


@pytest.mark.parametrize(
    ("moved", "expected"),
    [(-SECOND, None), (0 * SECOND, Reason.GUARDIANSHIP_ENDED), (SECOND, Reason.GUARDIANSHIP_ENDED)],
)
def test_f42_f7_a_wards_guardian_ends_as_the_register_says(moved: timedelta, expected: Reason | None) -> None:
    ended = representation_row(valid_until=AT + DAY)
    assert reason_of("guardian_of_ward", ended, at=AT + DAY + moved) is expected


def test_f42_a_new_guardian_does_not_stand_for_what_the_former_one_consented() -> None:
    former, new = representation_row(valid_until=AT), representation_row(representation_id="r2", representative_key=8)
    former["valid_from"] = AT - DAY
    assert reason_of("guardian_of_ward", former, new) is Reason.GUARDIANSHIP_ENDED


@pytest.mark.parametrize(("moved", "expected"), [(-SECOND, Reason.UNDER_AGE), (0 * SECOND, None), (SECOND, None)])
def test_f42_f7_a_child_consents_to_nothing_herself_until_the_birthday(
    moved: timedelta, expected: Reason | None
) -> None:
    """Not even when her guardian lost custody: what counts is the birthday."""
    own, lost = authorisation_row(), representation_row(**{**CHILD, "valid_until": AT + SECOND})
    snapshot = snapshot_of([own], [approval_row()], representations=[lost])
    assert gate.explain(snapshot, AT + DAY + moved, "auth-1")[0][2] is expected


def test_f42_the_dead_consent_to_nothing_and_have_no_guardian() -> None:
    own = snapshot_of([authorisation_row()], [approval_row()], deaths=[death_row(SUBJECT)])
    assert gate.explain(own, AT, "auth-1")[0][2] is Reason.GRANTOR_DECEASED
    assert reason_of("guardian_of_ward", representation_row(), dead=(SUBJECT,)) is Reason.GUARDIANSHIP_ENDED
    assert reason_of("guardian_of_ward", representation_row(), dead=(OTHER,)) is Reason.GRANTOR_DECEASED


def test_f42_heirs_are_their_own_subjects_and_act_for_the_dead_alone() -> None:
    heir = representation_row(capacity="heir")
    assert reason_of("heir", heir, dead=(SUBJECT,)) is None
    assert reason_of("heir", heir) is Reason.NO_CAPACITY


def test_a_statutory_ground_needs_no_grantor() -> None:
    chosen = service("NHIS_WORKPLACE")
    needed = next(r for r in chosen.requirements if r.authorisation == "statute")
    both = {"document_type": needed.document_type, "holder": source(needed.document_type).holder}
    both |= {"recipient": chosen.recipient, "purpose": chosen.purpose}
    own = {"service": chosen.id, "variant": needed.variant, "columns": list(needed.columns)}
    row = authorisation_row(kind="statute", _grantor_key=None, **both, **own)
    snapshot = snapshot_of([row], [approval_row(**both)], deaths=[death_row(SUBJECT)])
    assert gate.allowed(snapshot, AT).num_rows == 1


def test_each_member_of_a_household_consents_for_herself() -> None:
    """One applicant's consent names her spouse too: only her own documents flow until the spouse consents."""
    both = [authorisation_row(_subject_key=key, _grantor_key=SUBJECT, application_id="A-1") for key in (SUBJECT, OTHER)]
    snapshot = snapshot_of(both, [approval_row()])
    assert [r[2] for r in gate.explain(snapshot, AT, "auth-1")] == [None, Reason.NO_CAPACITY]
    spouses = authorisation_row(authorisation_id="auth-2", _subject_key=OTHER, application_id="A-1")
    allowed = gate.allowed(snapshot_of([*both, spouses], [approval_row()]), AT).to_pylist()
    assert [(a["authorisation_id"], a["_subject_key"]) for a in allowed] == [("auth-1", SUBJECT), ("auth-2", OTHER)]


def test_a_representation_is_an_event_and_its_end_another(ledger_conn: psycopg.Connection) -> None:
    key = representations.record(ledger_conn, SUBJECT, OTHER, "guardian_of_ward", EVIDENCE, AT)
    assert representations.record(ledger_conn, SUBJECT, OTHER, "guardian_of_ward", EVIDENCE, AT + SECOND) == key
    representations.end(ledger_conn, key, AT + DAY)
    representations.end(ledger_conn, key, AT + 2 * DAY)
    kinds = ledger.events(ledger_conn, 0).column("kind").to_pylist()
    assert kinds == ["representation_recorded", "representation_ended"]
    assert representations.record(ledger_conn, SUBJECT, OTHER, "guardian_of_ward", EVIDENCE, AT + 3 * DAY) != key


def test_what_makes_no_sense_is_not_recorded(ledger_conn: psycopg.Connection) -> None:
    def record(capacity: str = "guardian_of_ward", represented: int = SUBJECT, **changes: Any) -> None:
        evidence = changes.pop("evidence", EVIDENCE)
        representations.record(ledger_conn, represented, OTHER, capacity, evidence, AT, **changes)

    wrong: list[dict[str, Any]] = [
        {"capacity": "self"},
        {"capacity": "guardian"},
        {"represented": OTHER},
        {"capacity": "guardian_of_child"},  # without its birthday
        {"of_age_at": AT + DAY},  # with one, and no child
        {"capacity": "guardian_of_child", "of_age_at": AT},  # 14 already
        {"valid_from": AT, "valid_until": AT},
        {"evidence": " "},
        {"evidence": "family register of 900101-1234567"},
        {"capacity": "heir"},  # of the living
    ]
    for changes in wrong:
        with pytest.raises(UsageError):
            record(**changes)
    with pytest.raises(UsageError):
        representations.end(ledger_conn, "repr-unknown", AT)
    record()
    (row,) = representations.representations(ledger_conn).to_pylist()
    with pytest.raises(ForbiddenTransition):
        representations.end(ledger_conn, row["representation_id"], AT)
    assert ledger.position(ledger_conn) == 1


def test_f42_a_recorded_death_stops_what_was_granted_and_a_correction_lets_it_stand_again(
    ledger_conn: psycopg.Connection,
) -> None:
    ledger.approve(ledger_conn, approval(), AT)
    (key,) = ledger.grant(ledger_conn, [grant()], AT)
    death = deaths.record(ledger_conn, SUBJECT, date(2026, 6, 1), EVIDENCE, AT)
    assert deaths.record(ledger_conn, SUBJECT, date(2026, 6, 1), EVIDENCE, AT) == death
    assert gate.explain(ledger.snapshot(ledger_conn), AT, key)[0][2] is Reason.GRANTOR_DECEASED
    with pytest.raises(GateRefused) as refused:
        ledger.grant(ledger_conn, [grant()], AT)
    assert refused.value.reason == Reason.GRANTOR_DECEASED
    with pytest.raises(UsageError, match="Another day"):
        deaths.record(ledger_conn, SUBJECT, date(2026, 5, 1), EVIDENCE, AT)
    with pytest.raises(UsageError, match="future"):
        deaths.record(ledger_conn, OTHER, date(2026, 6, 2), EVIDENCE, AT)
    before = ledger.position(ledger_conn)
    deaths.correct(ledger_conn, death, AT)
    assert gate.explain(ledger.snapshot(ledger_conn), AT, key)[0][2] is None
    assert ledger.authorisations(ledger_conn).column("ledger_position").to_pylist() == [before + 1], "asked for anew"
    with pytest.raises(UsageError):
        deaths.correct(ledger_conn, death, AT)


def test_f42_a_child_grants_nothing_and_takes_over_by_renewing_once_of_age(ledger_conn: psycopg.Connection) -> None:
    ledger.approve(ledger_conn, approval(), AT)
    birthday = AT + DAY
    representations.record(ledger_conn, SUBJECT, OTHER, "guardian_of_child", EVIDENCE, AT, of_age_at=birthday)
    with pytest.raises(GateRefused) as refused:
        ledger.grant(ledger_conn, [grant()], birthday - SECOND)
    assert refused.value.reason == Reason.UNDER_AGE
    given = grant(scope(), grantor_key=OTHER, grantor_capacity="guardian_of_child")
    (key,) = ledger.grant(ledger_conn, [given], AT)

    def reason(at: Any) -> str | None:
        return gate.explain(ledger.snapshot(ledger_conn), at, key)[0][2]

    assert (reason(birthday - SECOND), reason(birthday)) == (None, Reason.GUARDIANSHIP_ENDED)
    with pytest.raises(GateRefused):
        ledger.renew(ledger_conn, key, None, birthday - SECOND, evidence=proof(), grantor_key=SUBJECT)
    notice = {"notice_version": "2", "notice_hash": "ab" * 32}
    ledger.renew(ledger_conn, key, None, birthday, evidence=proof(), grantor_key=SUBJECT, **notice)
    assert reason(birthday) is None
    (row,) = ledger.authorisations(ledger_conn).to_pylist()
    assert (row["_grantor_key"], row["grantor_capacity"], row["notice_version"]) == (SUBJECT, "self", "2")
    assert row["valid_until"] == given.valid_until
    (*_, last) = ledger.history(ledger_conn, key)
    assert last.kind == "renewed"


def test_f42_nobody_else_takes_over(ledger_conn: psycopg.Connection) -> None:
    (key,) = ledger.grant(ledger_conn, [standing()], AT)
    with pytest.raises(ForbiddenTransition, match="grantor renews"):
        ledger.renew(ledger_conn, key, AT + 300 * DAY, AT, evidence=proof(), grantor_key=OTHER)
    (several,) = ledger.grant(ledger_conn, [standing(scope(), scope(subject_key=8), grantor_key=OTHER)], AT)
    with pytest.raises(ForbiddenTransition, match="grantor renews"):
        ledger.renew(ledger_conn, several, AT + 300 * DAY, AT, evidence=proof(), grantor_key=SUBJECT)
    with pytest.raises(UsageError, match="END date"):
        ledger.renew(ledger_conn, key, None, AT, evidence=proof())
    ledger.renew(ledger_conn, key, AT + 300 * DAY, AT, evidence=proof(), grantor_key=SUBJECT)


def test_f42_what_has_ended_is_not_taken_over(ledger_conn: psycopg.Connection) -> None:
    given = grant(scope(), grantor_key=OTHER, grantor_capacity="guardian_of_ward")
    (key,) = ledger.grant(ledger_conn, [given], AT)
    for until in (None, given.valid_until, given.valid_until + DAY):
        with pytest.raises(ForbiddenTransition, match="END"):
            ledger.renew(ledger_conn, key, until, given.valid_until, evidence=proof(), grantor_key=SUBJECT)
