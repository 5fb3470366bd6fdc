"""Who may consent at all, for herself and for others: the ledger's door, with its reasons (F42)."""

from datetime import date

import psycopg
import pytest

from consent import capacity, deaths, ledger, representations
from consent.errors import ForbiddenTransition
from consent.model import Capacity, Kind, Reason
from hanbeon.errors import GateRefused
from tests.consent.making import AT, DAY, SECOND, grant, scope

CHILD, PARENT, DEAD = 7, 9, 11
UNDER_AGE = "A child under 14 cannot consent herself. Her guardian consents: `hanbeon representative record`."
WARD = Capacity.GUARDIAN_OF_WARD


@pytest.fixture
def conn(ledger_conn: psycopg.Connection) -> psycopg.Connection:
    """7 is a child until ten days from now; 11 is dead."""
    of_age = AT + 10 * DAY
    representations.record(ledger_conn, CHILD, PARENT, "guardian_of_child", "GRDN-1", AT - DAY, of_age_at=of_age)
    deaths.record(ledger_conn, DEAD, date(2026, 5, 1), "FAMR-1", AT - DAY)
    return ledger_conn


def test_the_dead_and_children_consent_to_nothing_whoever_else_does(conn: psycopg.Connection) -> None:
    with pytest.raises(GateRefused, match=r"^The dead cannot consent\. Heirs consent for themselves\.$") as dead:
        capacity.need_alive_and_of_age(conn, (key for key in (PARENT, DEAD)), AT)
    assert dead.value.reason == Reason.GRANTOR_DECEASED
    with pytest.raises(GateRefused) as child:
        capacity.need_alive_and_of_age(conn, [PARENT, CHILD], AT)
    assert (str(child.value), child.value.reason) == (UNDER_AGE, Reason.UNDER_AGE)
    capacity.need_alive_and_of_age(conn, [PARENT], AT)
    capacity.need_alive_and_of_age(conn, [], AT)


def test_f42_a_child_may_consent_from_the_very_instant_of_her_birthday(conn: psycopg.Connection) -> None:
    with pytest.raises(GateRefused):
        capacity.need_alive_and_of_age(conn, [CHILD], AT + 10 * DAY - SECOND)
    capacity.need_alive_and_of_age(conn, [CHILD], AT + 10 * DAY)


def test_grants_are_looked_at_by_who_consents_not_by_whom_they_are_about(conn: psycopg.Connection) -> None:
    by_parent = grant(scope(subject_key=CHILD), grantor_key=PARENT)
    capacity.need_capable(conn, [by_parent], AT)
    with pytest.raises(GateRefused):
        capacity.need_capable(conn, [by_parent, grant(scope(subject_key=CHILD))], AT)
    by_statute = grant(scope(subject_key=CHILD), kind=Kind.STATUTE, grantor_key=CHILD, evidence=None)
    capacity.need_capable(conn, [by_statute], AT)


def test_only_a_resident_number_says_an_age() -> None:
    child, adult = "1523033456789", "9021152345678"  # born in 2015 and 1990, month + 20
    with pytest.raises(GateRefused) as refused:
        capacity.need_number_of_age("RRN", [adult, child], AT)
    assert (str(refused.value), refused.value.reason) == (UNDER_AGE, Reason.UNDER_AGE)
    capacity.need_number_of_age("RRN", [adult], AT)
    capacity.need_number_of_age("CRN", [child], AT)


@pytest.mark.parametrize(("kind", "is_refused"), [("CRN", True), ("BRN", True), ("RRN", False), ("VIN", False)])
def test_corporations_and_businesses_consent_through_somebody(kind: str, is_refused: bool) -> None:
    if not is_refused:
        capacity.need_representative(kind)
        return
    with pytest.raises(GateRefused, match="consents through its representative: record who that is") as refused:
        capacity.need_representative(kind)
    assert refused.value.reason == Reason.NO_CAPACITY


def test_who_consents_for_others_is_recorded_in_this_capacity_now_and_for_each(conn: psycopg.Connection) -> None:
    first = representations.record(conn, 1, PARENT, WARD, "GRDN-2", AT)
    representations.record(conn, 2, PARENT, WARD, "GRDN-3", AT + DAY)
    capacity.need_recorded(conn, [1], PARENT, WARD, AT)
    capacity.need_recorded(conn, [1, PARENT], PARENT, WARD, AT)
    capacity.need_recorded(conn, [1, 2], PARENT, WARD, AT + DAY)
    for subjects, grantor, kind, at in (
        ([1], PARENT, WARD, AT - SECOND),
        ([1, 2], PARENT, WARD, AT + DAY - SECOND),
        ([1], PARENT, Capacity.GUARDIAN_OF_CHILD, AT),
        ([1], 10, WARD, AT),
    ):
        with pytest.raises(GateRefused, match="Nothing recorded lets this person consent for the subject") as refused:
            capacity.need_recorded(conn, subjects, grantor, kind, at)
        assert refused.value.reason == Reason.NO_CAPACITY
    representations.end(conn, first, AT + 2 * DAY)
    capacity.need_recorded(conn, [1], PARENT, WARD, AT + 2 * DAY - SECOND)
    with pytest.raises(GateRefused):
        capacity.need_recorded(conn, [1], PARENT, WARD, AT + 2 * DAY)


def test_a_person_renews_by_herself_what_is_about_her_alone(conn: psycopg.Connection) -> None:
    alone, both, of_child = ledger.grant(
        conn,
        [
            grant(scope(subject_key=1), scope("FAMR", subject_key=1), grantor_key=1),
            grant(scope(subject_key=1), scope(subject_key=2), grantor_key=1),
            grant(scope(subject_key=CHILD), grantor_key=PARENT),
        ],
        AT,
    )
    capacity.need_own(conn, alone, 1, AT)
    for key, subject in ((alone, 2), (both, 1), (both, 2), ("auth-unknown", 1)):
        with pytest.raises(ForbiddenTransition):
            capacity.need_own(conn, key, subject, AT)
    with pytest.raises(GateRefused):
        capacity.need_own(conn, of_child, CHILD, AT)
    capacity.need_own(conn, of_child, CHILD, AT + 10 * DAY)
