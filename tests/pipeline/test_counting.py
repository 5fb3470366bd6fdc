"""What a decision counts: by the rule of docs/analysts.md, once, and for good."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consent import applications
from consent.applications import Decided
from pipeline import counting
from pipeline.counting import decided_rows, decisions, required
from pipeline.erase import erase
from pipeline.ledger_copy import copy_ledger
from schemas.services import Requirement, Service, service
from tests.small_lake import SmallLake

NEEDED = Requirement("RRT", True, None, (), ("RRN",), None, "consent", "", "applicant", False)
IF_HELD = replace(NEEDED, document_type="VHCL", is_if_held=True)
PERSON, FIRM = replace(NEEDED, document_type="RRA"), replace(NEEDED, document_type="CORR", applicants=("CRN",))
ALTERNATIVES = tuple(replace(NEEDED, document_type=d, one_of="eligibility") for d in ("BLSC", "DISB", "VETR"))


def asking(*requirements: Requirement) -> Service:
    return replace(service("SINGLE_PARENT"), requirements=requirements)


@pytest.mark.parametrize(
    ("needed", "kind", "came", "counted"),
    [
        ((NEEDED,), "RRN", {"RRT": "data"}, [("RRT", "data")]),
        ((NEEDED,), "RRN", {"RRT": "paper"}, [("RRT", "paper")]),
        ((NEEDED,), "RRN", {}, [("RRT", None)]),
        ((PERSON, FIRM), "RRN", {}, [("RRA", None)]),
        ((PERSON, FIRM), "CRN", {"CORR": "data"}, [("CORR", "data")]),
        ((PERSON, FIRM), "CRN", {"RRA": "paper"}, [("CORR", None)]),
        ((IF_HELD,), "RRN", {}, []),
        ((IF_HELD,), "RRN", {"VHCL": "data"}, [("VHCL", "data")]),
        (ALTERNATIVES, "RRN", {}, [("BLSC", None)]),
        (ALTERNATIVES, "RRN", {"VETR": "paper"}, [("VETR", "paper")]),
        (ALTERNATIVES, "RRN", {"BLSC": "paper", "DISB": "data"}, [("DISB", "data")]),
        ((NEEDED, *ALTERNATIVES), "RRN", {"VETR": "data"}, [("RRT", None), ("VETR", "data")]),
    ],
)
def test_what_the_law_asked_of_an_applicant_counts_once(
    needed: tuple[Requirement, ...], kind: str, came: dict[str, str], counted: list[tuple[str, str | None]]
) -> None:
    assert list(required(asking(*needed), kind, came)) == counted


def decided(service_id: str, decision: str = "approved", *came: str) -> list[Decided]:
    at = datetime(2026, 6, 1, 15, 0, tzinfo=UTC)  # midnight in Seoul: the day after
    return [
        Decided("dcsn-1", service_id, service(service_id).recipient, "RRN", decision, at, dict.fromkeys(came, "data"))
    ]


@pytest.mark.parametrize(
    ("service_id", "shared"),
    [
        ("DISABILITY_PENSION", {"FAMR": True, "REGR": True, "DISB": False, "NPSB": False}),
        ("SINGLE_PARENT", {"FAMR": False, "RRT": False, "INCM": False}),
        ("BANK_LOAN", dict.fromkeys(("RRT", "INCM", "HINQ", "HIPM", "NPSC", "LTAXC", "NTAXC"))),
    ],
)
def test_a_decision_says_what_its_article_shares_already(service_id: str, shared: dict[str, bool | None]) -> None:
    rows = decided_rows(decided(service_id, "approved", *shared)).to_pylist()
    assert {r["document_type"]: r["is_shared_already"] for r in rows} == shared
    assert {str(r["decided_on"]) for r in rows} == {"2026-06-02"}


@pytest.mark.parametrize(("decision", "documents"), [("approved", 3), ("refused", 3), ("withdrawn", 0)])
def test_an_application_that_was_withdrawn_counts_nothing(decision: str, documents: int) -> None:
    assert decided_rows(decided("SINGLE_PARENT", decision)).num_rows == documents


def test_a_decision_is_copied_once_and_stands_whatever_is_erased_or_asked_for_later(
    own_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, one, two = own_lake.run, own_lake.one, own_lake.two
    assert one.application is not None
    assert two.application is not None
    applications.decide(run.conn, one.application, "approved", run.at(), {"FAMR": "data"})
    copy_ledger(run)
    before = decisions(run).to_pylist()
    assert {(r["document_type"], r["satisfied_by"]) for r in before} == {
        ("FAMR", "data"),
        ("RRT", None),
        ("INCM", None),
    }
    erase(run)
    monkeypatch.setattr(counting, "service", lambda _: asking(PERSON))
    copy_ledger(run)
    assert decisions(run).to_pylist() == before
    applications.decide(run.conn, two.application, "refused", run.at())
    copy_ledger(run)
    added = [r for r in decisions(run).to_pylist() if r not in before]
    assert [(r["document_type"], r["satisfied_by"]) for r in added] == [("RRA", None)]


def test_only_decisions_since_the_last_copy_are_looked_at_and_all_where_the_table_is_empty(
    own_lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, asked = own_lake.run, []
    real = applications.decided_applications

    def noted(conn: object, after: int = 0) -> list[Decided]:
        found = real(run.conn, after)
        asked.append((after > 0, len(found)))
        return found

    monkeypatch.setattr(applications, "decided_applications", noted)
    copy_ledger(run)
    for citizen in (own_lake.one, own_lake.two):
        assert citizen.application is not None
        applications.decide(run.conn, citizen.application, "approved", run.at())
        copy_ledger(run)
    copy_ledger(run)
    assert asked == [(False, 0), (False, 1), (True, 1), (True, 0)]
