"""One read of one subject sees all that the gate needs about it, and decides as the whole ledger would."""

from datetime import date

import psycopg
import pytest

from consent import applications, blocks, deaths, gate, ledger, narrow, representations, uses
from consent.model import Application
from consent.snapshot import Snapshot
from tests.consent.making import AT, DAY, SERVICE, application, approval, grant, scope, standing

OWN, WARD, GUARD, OTHER = 7, 8, 9, 10


@pytest.fixture
def keys(ledger_conn: psycopg.Connection) -> dict[str, str]:
    """7 applies, and consents for herself and for her ward 8; 9 is her own guardian; 10 has nothing to do with it."""
    conn = ledger_conn
    for document in ("RRT", "FAMR"):
        ledger.approve(conn, approval(document), AT)
    applications.open(conn, application("A-1", OWN))
    applications.open(conn, Application("A-2", SERVICE.id, SERVICE.recipient, OTHER, AT))
    for name in ("A-1", "A-2"):
        applications.paper(conn, name, "FAMR", AT)
    for represented, representative in ((WARD, OWN), (OWN, GUARD), (OTHER, GUARD)):
        representations.record(conn, represented, representative, "guardian_of_ward", "GRDN", AT)
    blocks.block(conn, WARD, OTHER, "Act 29", AT)
    given = {
        "own": standing(scope(subject_key=OWN), cycle="daily"),
        "of the guardian": grant(
            scope("FAMR", subject_key=OWN), grantor_key=GUARD, grantor_capacity="guardian_of_ward"
        ),
        "for the ward": grant(
            scope(subject_key=WARD), grantor_key=OWN, grantor_capacity="guardian_of_ward", application_id="A-1"
        ),
        "of another": standing(scope(subject_key=OTHER), cycle="daily", application_id=None),
    }
    found = dict(zip(given, ledger.grant(conn, list(given.values()), AT), strict=True))
    uses.mark(conn, [(found["own"], "RRT"), (found["of another"], "RRT")], AT)
    for dead in (GUARD, OTHER):
        deaths.record(conn, dead, date(2026, 5, 1), "FAMR", AT)
    return found


def ids(snapshot: Snapshot) -> set[str]:
    return set(snapshot.authorisations.column("authorisation_id").to_pylist())


def column(table: str, name: str, snapshot: Snapshot) -> list[object]:
    return sorted(getattr(snapshot, table).column(name).to_pylist())


def test_a_subject_s_snapshot_has_what_is_about_it_and_nothing_of_anybody_else(
    ledger_conn: psycopg.Connection, keys: dict[str, str]
) -> None:
    found = narrow.snapshot_of_subject(ledger_conn, OWN)
    assert found.position == ledger.position(ledger_conn)
    assert ids(found) == {keys["own"], keys["of the guardian"]}
    assert found.approvals.num_rows == 2
    assert column("applications", "application_id", found) == ["A-1"]
    assert column("papers", "application_id", found) == ["A-1"]
    assert column("blocks", "victim_key", found) == [WARD]
    assert column("representations", "represented_key", found) == [OWN]
    assert column("deaths", "subject_key", found) == [GUARD]
    assert column("uses", "authorisation_id", found) == [keys["own"]]


def test_an_application_s_snapshot_has_the_household_too(ledger_conn: psycopg.Connection, keys: dict[str, str]) -> None:
    found = narrow.snapshot_of_application(ledger_conn, "A-1")
    assert found is not None
    assert found.position == ledger.position(ledger_conn)
    assert ids(found) == {keys["own"], keys["of the guardian"], keys["for the ward"]}
    assert column("applications", "application_id", found) == ["A-1"]
    assert column("papers", "application_id", found) == ["A-1"]
    assert column("representations", "represented_key", found) == [OWN, WARD]
    assert column("deaths", "subject_key", found) == [GUARD]
    assert column("uses", "authorisation_id", found) == [keys["own"]]
    assert narrow.snapshot_of_application(ledger_conn, "A-unknown") is None


def test_an_applicant_without_authorisations_has_a_snapshot_with_her_own_facts(ledger_conn: psycopg.Connection) -> None:
    applications.open(ledger_conn, application("A-1", OWN))
    deaths.record(ledger_conn, OWN, date(2026, 5, 1), "FAMR", AT)
    for found in (narrow.snapshot_of_subject(ledger_conn, OWN), narrow.snapshot_of_application(ledger_conn, "A-1")):
        assert found is not None
        assert ids(found) == set()
        assert column("deaths", "subject_key", found) == [OWN]


@pytest.mark.parametrize("subject", [OWN, WARD, OTHER])
def test_p1_the_gate_decides_about_one_subject_as_it_does_about_all(
    ledger_conn: psycopg.Connection, keys: dict[str, str], subject: int
) -> None:
    def judged(snapshot: Snapshot) -> list[tuple[object, ...]]:
        rows = gate.explained(snapshot, AT + DAY).to_pylist() + gate.allowed(snapshot, AT + DAY).to_pylist()
        return sorted(
            (
                (r["authorisation_id"], r["document_type"], r.get("reason"))
                for r in rows
                if r["_subject_key"] == subject
            ),
            key=str,
        )

    assert judged(narrow.snapshot_of_subject(ledger_conn, subject)) == judged(ledger.snapshot(ledger_conn))


def test_within_a_caller_s_transaction_it_sees_what_the_caller_wrote(ledger_conn: psycopg.Connection) -> None:
    with ledger_conn.transaction():
        applications.open(ledger_conn, application("A-1", OWN))
        assert narrow.snapshot_of_subject(ledger_conn, OWN).applications.num_rows == 1
