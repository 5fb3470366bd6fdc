"""Applications: opened once, filled by data or paper, decided once; the decision uses one-time authorisations up."""

import psycopg
import pytest

from consent import applications, forgetting, gate, ledger, vault
from consent.errors import ForbiddenTransition
from consent.history import history_of_subject
from consent.model import Application, Decision, Reason
from hanbeon.errors import UsageError
from tests.consent.making import AT, DAY, SECOND, application, approval, grant, scope, standing


def test_an_application_is_opened_once(ledger_conn: psycopg.Connection) -> None:
    assert applications.open(ledger_conn, application()) == "A-1"
    assert applications.open(ledger_conn, application()) == "A-1"
    assert ledger.position(ledger_conn) == 1
    assert applications.get(ledger_conn, "A-1") == {
        "application_id": "A-1",
        "service": "SINGLE_PARENT",
        "recipient": "mogef",
        "applicant_key": 7,
        "applicant_kind": "RRN",
        "member_keys": None,
        "not_concerned": None,
        "opened_at": AT,
        "state": "open",
        "decision": None,
        "decided_at": None,
        "ledger_position": 1,
        "papers": [],
    }
    with pytest.raises(ForbiddenTransition, match="Another application"):
        applications.open(ledger_conn, application(applicant_key=8))


def of_household(members: tuple[int, ...], service: str = "BASIC_LIVELIHOOD", **more: tuple[str, ...]) -> Application:
    return Application("A-1", service, "mohw", 7, AT, members=members, **more)


def test_an_application_names_its_household_once_and_for_good(ledger_conn: psycopg.Connection) -> None:
    applications.open(ledger_conn, of_household((9, 8), not_concerned=("DISB",)))
    applications.open(ledger_conn, of_household((8, 9), not_concerned=("DISB",)))
    assert ledger.position(ledger_conn) == 1
    found = applications.get(ledger_conn, "A-1")
    assert (found["member_keys"], found["not_concerned"]) == ([8, 9], ["DISB"])
    (event,) = history_of_subject(ledger_conn, "A-1")
    assert (event.payload or {})["member_keys"] == ["8", "9"]
    with pytest.raises(ForbiddenTransition, match="Another application"):
        applications.open(ledger_conn, of_household((8,), not_concerned=("DISB",)))
    with pytest.raises(ForbiddenTransition, match="Another application"):
        applications.open(ledger_conn, of_household((8, 9)))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (of_household((8,), "DISABILITY_PENSION"), "concerns who applies alone"),
        (of_household((8, 7)), "named twice, or is who applies"),
        (of_household((8, 8)), "named twice"),
        (of_household((8, 9), "BASIC_PENSION"), "one other person at most"),
        (of_household((), not_concerned=("RRT",)), "only these need not concern who applies: DISB, EMPI"),
        (of_household((), not_concerned=("ZZZZ",)), "only these"),
    ],
    ids=["alone", "herself", "twice", "two-spouses", "needed-of-everybody", "unknown"],
)
def test_an_application_names_whom_its_service_looks_at_and_leaves_out_what_may_be(
    ledger_conn: psycopg.Connection, given: Application, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        applications.open(ledger_conn, given)
    assert ledger.position(ledger_conn) == 0


def test_p4_nobody_is_forgotten_whom_an_open_application_names(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets
) -> None:
    keys = vault.keys(ledger_conn, secrets, "RRN", ["9021152345678", "8522201234567", "7723012345671"], AT).to_pylist()
    household = Application("A-1", "BASIC_LIVELIHOOD", "mohw", keys[0], AT, members=(keys[1],))
    applications.open(ledger_conn, household)
    assert forgetting.uncovered(ledger_conn, [], AT) == [keys[2]]
    applications.decide(ledger_conn, "A-1", Decision.REFUSED, AT + DAY)
    assert set(forgetting.uncovered(ledger_conn, [], AT + DAY)) == set(keys)


def test_an_application_without_id_gets_one(ledger_conn: psycopg.Connection) -> None:
    first, second = applications.open_many(ledger_conn, [application(None), application(None)], AT)
    assert first != second
    assert applications.applications(ledger_conn, applicant_key=7).num_rows == 2


@pytest.mark.parametrize(
    ("service", "recipient", "sentence"),
    [("NO_SUCH", "mogef", "No service"), ("SINGLE_PARENT", "mohw", "decided by mogef")],
)
def test_an_application_names_a_known_service_and_its_recipient(
    ledger_conn: psycopg.Connection, service: str, recipient: str, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        applications.open(ledger_conn, Application("A-1", service, recipient, 7, AT))


def test_a_required_document_can_be_brought_on_paper_whatever_is_consented(ledger_conn: psycopg.Connection) -> None:
    applications.open(ledger_conn, application())
    applications.paper(ledger_conn, "A-1", "FAMR", AT)
    applications.paper(ledger_conn, "A-1", "FAMR", AT + DAY)
    applications.paper_many(ledger_conn, [("A-1", "RRT"), ("A-1", "FAMR")], AT)
    assert applications.get(ledger_conn, "A-1")["papers"] == ["FAMR", "RRT"]
    assert [e.kind for e in history_of_subject(ledger_conn, "A-1")] == [
        "application_opened",
        "paper_brought",
        "paper_brought",
    ]
    assert ledger.snapshot(ledger_conn).papers.to_pylist()[0] == {
        "application_id": "A-1",
        "document_type": "FAMR",
        "brought_at": AT,
        "ledger_position": 2,
    }


def test_the_log_names_each_paper_s_document(ledger_conn: psycopg.Connection) -> None:
    applications.open(ledger_conn, application())
    applications.paper(ledger_conn, "A-1", "FAMR", AT)
    assert history_of_subject(ledger_conn, "A-1")[-1].payload == {"document_type": "FAMR"}


def test_paper_is_for_a_known_open_application_and_a_document_that_it_needs(ledger_conn: psycopg.Connection) -> None:
    applications.open(ledger_conn, application())
    with pytest.raises(UsageError, match="does not need HINQ"):
        applications.paper_many(ledger_conn, [("A-1", "FAMR"), ("A-1", "HINQ")], AT)
    assert applications.papers(ledger_conn, "A-1") == []
    with pytest.raises(UsageError, match="no application"):
        applications.paper(ledger_conn, "A-2", "FAMR", AT)
    applications.decide(ledger_conn, "A-1", Decision.WITHDRAWN, AT)
    with pytest.raises(ForbiddenTransition, match="decided"):
        applications.paper(ledger_conn, "A-1", "FAMR", AT)


def test_f41_a_decision_consumes_the_one_time_authorisations_of_its_application_alone(
    ledger_conn: psycopg.Connection,
) -> None:
    ledger.approve(ledger_conn, approval(), AT)
    applications.open_many(ledger_conn, [application("A-1"), application("A-2")], AT)
    used, paused, withdrawn, other, lasting = ledger.grant(
        ledger_conn,
        [
            grant(application_id="A-1"),
            grant(application_id="A-1"),
            grant(application_id="A-1"),
            grant(application_id="A-2"),
            standing(scope(subject_key=9)),
        ],
        AT,
    )
    ledger.pause(ledger_conn, paused, AT)
    ledger.withdraw(ledger_conn, withdrawn, AT)
    before = ledger.position(ledger_conn)
    decision_id = applications.decide(ledger_conn, "A-1", "approved", AT + SECOND)
    assert applications.decide(ledger_conn, "A-1", "approved", AT + DAY) == decision_id
    assert ledger.position(ledger_conn) == before + 3
    snapshot = ledger.snapshot(ledger_conn)
    reasons = {key: gate.explain(snapshot, AT + SECOND, key)[0][2] for key in (used, paused, withdrawn, other, lasting)}
    assert reasons == {
        used: Reason.CONSUMED,
        paused: Reason.CONSUMED,
        withdrawn: Reason.WITHDRAWN,
        other: None,
        lasting: None,
    }
    counts = {r["authorisation_id"]: r["used_count"] for r in snapshot.authorisations.to_pylist()}
    assert counts == {used: 1, paused: 1, withdrawn: 0, other: 0, lasting: 0}, "a decision is a use"


def test_the_event_of_a_use_says_nothing_but_which_authorisation(ledger_conn: psycopg.Connection) -> None:
    ledger.approve(ledger_conn, approval(), AT)
    applications.open(ledger_conn, application("A-1"))
    (used,) = ledger.grant(ledger_conn, [grant(application_id="A-1")], AT)
    applications.decide(ledger_conn, "A-1", "approved", AT + SECOND)
    last = history_of_subject(ledger_conn, used)[-1]
    assert (last.kind, last.authorisation_id, last.payload) == ("consumed", used, {})


def test_a_decision_stands(ledger_conn: psycopg.Connection) -> None:
    applications.open(ledger_conn, application())
    with pytest.raises(UsageError, match="Decision must be one of approved, refused, withdrawn"):
        applications.decide(ledger_conn, "A-1", "perhaps", AT)
    applications.decide(ledger_conn, "A-1", "refused", AT)
    with pytest.raises(ForbiddenTransition, match="decided already: refused"):
        applications.decide(ledger_conn, "A-1", "approved", AT)
    with pytest.raises(UsageError, match="no application"):
        applications.decide(ledger_conn, "A-2", "approved", AT)


def test_what_statistics_may_know_of_a_decision_names_nobody(ledger_conn: psycopg.Connection) -> None:
    applications.open(ledger_conn, application())
    applications.paper(ledger_conn, "A-1", "FAMR", AT)
    decision_id = applications.decide(ledger_conn, "A-1", "approved", AT, {"RRT": "data"})
    assert ledger.decided_applications(ledger_conn) == [
        applications.Decided(
            decision_id, "SINGLE_PARENT", "mogef", "RRN", "approved", AT, {"FAMR": "paper", "RRT": "data"}
        )
    ]
    assert "A-1" not in decision_id
    assert decision_id not in str(ledger.snapshot(ledger_conn).applications.to_pylist())
    assert decision_id not in str(ledger.events(ledger_conn, 0).to_pylist())


@pytest.mark.parametrize("evidence", [{"HINQ": "data"}, {"RRT": "hearsay"}])
def test_a_decision_rests_on_documents_that_the_service_needs(
    ledger_conn: psycopg.Connection, evidence: dict[str, str]
) -> None:
    applications.open(ledger_conn, application())
    with pytest.raises(UsageError, match="needs, as data or paper"):
        applications.decide(ledger_conn, "A-1", "approved", AT, evidence)


def test_applications_are_listed_by_state_and_service(ledger_conn: psycopg.Connection) -> None:
    applications.open_many(ledger_conn, [application("A-1"), application("A-2", 8)], AT)
    applications.decide(ledger_conn, "A-2", "refused", AT)
    found = applications.applications(ledger_conn, state="open", service="SINGLE_PARENT", recipient="mogef")
    assert found.column("application_id").to_pylist() == ["A-1"]
    assert found.schema == ledger.APPLICATIONS_SCHEMA
    assert applications.applications(ledger_conn, state="decided").column("decision").to_pylist() == ["refused"]
    with pytest.raises(UsageError, match="no application"):
        applications.get(ledger_conn, "A-3")
