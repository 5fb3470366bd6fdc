"""Bundles: what open applications need of whom, what satisfies it, and why not (P1, P5)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from pipeline.bundles import requirements, stated
from pipeline.evidence import ASKED_SCHEMA, EVIDENCE_SCHEMA, fresh_until
from quality.gold import check_gold
from schemas.contract import gold
from schemas.services import service, services
from tests.consent.making import AT

BUNDLES = gold("service_bundles")
TODAY = date(2026, 6, 1)
NEED = {
    "application_id": "A",
    "service": "SINGLE_PARENT",
    "recipient": "mogef",
    "_subject_key": 7,
    "document_type": "FAMR",
    "variant": "general",
    "one_of": None,
    "is_if_held": False,
    "unavailable": None,
    "has_authorisation": True,
    "authorisation_id": "own",
    "reason": None,
    "is_paper": False,
}
NEEDED = pa.schema(
    [
        *((n, pa.string()) for n in ("application_id", "service", "recipient", "document_type", "variant", "one_of")),
        *((n, pa.string()) for n in ("unavailable", "authorisation_id", "reason")),
        ("_subject_key", pa.int64()),
        *((n, pa.bool_()) for n in ("has_authorisation", "is_if_held", "is_paper")),
    ]
)
REFUSED = {"has_authorisation": False, "authorisation_id": None, "reason": "withdrawn"}


def held(document: str, evidence_id: str = "e", **changes: Any) -> dict[str, Any]:
    row = {"document_type": document, "_subject_key": 7, "_variant": "general", "_evidence_id": evidence_id}
    return row | {"_valid_from": AT, "fresh_until": None} | changes


def bundle(
    needs: Sequence[dict[str, Any]], evidence: Sequence[dict[str, Any]] = (), asked: Sequence[dict[str, Any]] = ()
) -> list[dict[str, Any]]:
    rows = stated(
        pa.Table.from_pylist([NEED | n for n in needs], schema=NEEDED),
        pa.Table.from_pylist(list(evidence), schema=EVIDENCE_SCHEMA),
        pa.Table.from_pylist(list(asked), schema=ASKED_SCHEMA),
        TODAY,
    )
    assert rows.schema == BUNDLES.gold_schema
    assert not check_gold({BUNDLES.name: rows}).failures
    found: list[dict[str, Any]] = rows.to_pylist()
    return found


def told(rows: list[dict[str, Any]]) -> list[tuple[str, str, str | None, str | None]]:
    return [(r["RQDOC_CD"], r["RQDOC_STTS_NM"], r["RQDOC_STTS_RSN"], r["_evidence_id"]) for r in rows]


def test_evidence_that_may_flow_satisfies_and_names_the_application_s_own_authorisation() -> None:
    (row,) = bundle([{}], [held("FAMR")])
    assert (row["RQDOC_STTS_NM"], row["_evidence_id"], row["_authorisation_id"]) == ("satisfied_by_data", "e", "own")
    assert (row["BNDL_CMPTN_YN"], row["_valid_from"]) == ("Y", AT)


@pytest.mark.parametrize(
    "other",
    [held("RRT"), held("FAMR", _subject_key=8), held("FAMR", _variant="detailed")],
    ids=["document", "subject", "variant"],
)
def test_evidence_of_another_document_subject_or_variant_is_not_the_one(other: dict[str, Any]) -> None:
    assert told(bundle([{}], [other])) == [("FAMR", "waiting_for_data", "nothing_received", None)]


def test_p1_evidence_without_an_authorisation_fills_no_requirement() -> None:
    (row,) = bundle([REFUSED], [held("FAMR", fresh_until="20260901")], [{"document_type": "FAMR", "_subject_key": 7}])
    assert told([row]) == [("FAMR", "no_authorisation", "withdrawn", None)]
    assert (row["_authorisation_id"], row["_valid_from"], row["VLD_PRD_EXPRY_YMD"]) == (None, None, None)
    assert row["BNDL_CMPTN_YN"] == "N"


def test_the_newest_record_of_a_document_stands_for_it() -> None:
    earlier = AT.replace(year=2025)
    (row,) = bundle([{}], [held("FAMR", "old", _valid_from=earlier), held("FAMR", "new")])
    assert row["_evidence_id"] == "new"


def test_data_before_paper_and_paper_where_data_may_not_flow() -> None:
    assert told(bundle([{"is_paper": True}], [held("FAMR")]))[0][1] == "satisfied_by_data"
    assert told(bundle([REFUSED | {"is_paper": True}], [held("FAMR")])) == [("FAMR", "satisfied_by_paper", None, None)]


@pytest.mark.parametrize(
    ("asked", "reason"), [(None, "nothing_received"), (False, "not_held"), (True, "quarantined")], ids=str
)
def test_why_no_data_is_there(asked: bool | None, reason: str) -> None:
    given = [] if asked is None else [{"document_type": "FAMR", "_subject_key": 7, "is_quarantined": asked}]
    assert told(bundle([{}], [], given)) == [("FAMR", "waiting_for_data", reason, None)]


@pytest.mark.parametrize("reason", ["not_available_as_data", "never_shareable"])
def test_what_comes_on_paper_says_why(reason: str) -> None:
    nothing = {"unavailable": reason, "has_authorisation": False, "authorisation_id": None}
    assert told(bundle([nothing])) == [("FAMR", "needs_paper", reason, None)]
    assert told(bundle([nothing | {"is_paper": True}])) == [("FAMR", "satisfied_by_paper", None, None)]


@pytest.mark.parametrize(("until", "is_fresh"), [("20260601", True), ("20260531", False), (None, True)])
def test_evidence_stands_for_the_paper_until_its_last_day(until: str | None, is_fresh: bool) -> None:
    (row,) = bundle([{}], [held("FAMR", fresh_until=until)])
    state = ("satisfied_by_data", None, "e") if is_fresh else ("waiting_for_data", "stale", None)
    assert told([row]) == [("FAMR", *state)]
    assert row["VLD_PRD_EXPRY_YMD"] == until
    assert row["BNDL_CMPTN_YN"] == ("Y" if is_fresh else "N")


def test_one_of_several_documents_is_enough_and_the_others_are_not_needed() -> None:
    either = [{"document_type": d, "one_of": "address"} for d in ("DRVL", "RRA")]
    more = [*either, {"document_type": "FAMR"}]
    assert told(bundle(either)) == [
        ("DRVL", "waiting_for_data", "nothing_received", None),
        ("RRA", "waiting_for_data", "nothing_received", None),
    ]
    found = bundle(more, [held("RRA")])
    assert told(found) == [
        ("DRVL", "not_needed", "another_document", None),
        ("FAMR", "waiting_for_data", "nothing_received", None),
        ("RRA", "satisfied_by_data", None, "e"),
    ]
    assert {r["BNDL_CMPTN_YN"] for r in found} == {"N"}
    assert {r["BNDL_CMPTN_YN"] for r in bundle(more, [held("RRA"), held("FAMR")])} == {"Y"}


@pytest.mark.parametrize(
    ("asked", "state", "reason"),
    [
        (None, "waiting_for_data", "nothing_received"),
        (True, "waiting_for_data", "quarantined"),
        (False, "not_needed", "not_applicable"),
    ],
    ids=str,
)
def test_a_document_that_concerns_only_some_is_not_needed_once_the_holder_says_it_has_none(
    asked: bool | None, state: str, reason: str
) -> None:
    given = [] if asked is None else [{"document_type": "FAMR", "_subject_key": 7, "is_quarantined": asked}]
    found = bundle([{"is_if_held": True}, {"document_type": "RRT"}], [held("RRT")], given)
    assert told(found)[0] == ("FAMR", state, reason, None)
    assert {r["BNDL_CMPTN_YN"] for r in found} == {"Y" if state == "not_needed" else "N"}
    assert told(bundle([REFUSED | {"is_if_held": True}]))[0][1:3] == ("no_authorisation", "withdrawn")
    assert told(bundle([{"is_if_held": True}], [held("FAMR")]))[0][1] == "satisfied_by_data"


def test_a_document_of_several_subjects_is_there_when_it_is_there_of_each() -> None:
    cars = [{"document_type": "VHCL", "_subject_key": k, "one_of": "car"} for k in (7, 8)]
    other = [{"document_type": "DRVL", "one_of": "car"}]
    found = bundle([*cars, *other], [held("VHCL")])
    assert told(found) == [
        ("DRVL", "waiting_for_data", "nothing_received", None),
        ("VHCL", "satisfied_by_data", None, "e"),
        ("VHCL", "waiting_for_data", "nothing_received", None),
    ]
    both = bundle([*cars, *other], [held("VHCL"), held("VHCL", "f", _subject_key=8)])
    assert [r["RQDOC_STTS_NM"] for r in both] == ["not_needed", "satisfied_by_data", "satisfied_by_data"]


def test_the_last_day_is_the_statute_s_term_or_the_document_s_own_whichever_is_earlier() -> None:
    rows = pa.table(
        {
            "ISSU_YMD": ["20260601", "20260601", "20260601", None],
            "VLD_PRD_EXPRY_YMD": ["20260610", "20270101", None, None],
        }
    )
    assert fresh_until(rows, 30).to_pylist() == ["20260610", "20260701", "20260701", None]
    assert fresh_until(rows, None).to_pylist() == ["20260610", "20270101", None, None]
    assert fresh_until(rows.select(["ISSU_YMD"]), None).to_pylist() == [None] * 4


def applications(*keys: int) -> pa.Table:
    rows = [
        {
            "application_id": f"A{k}",
            "service": "SINGLE_PARENT",
            "recipient": "mogef",
            "applicant_key": k,
            "applicant_kind": "RRN",
            "state": "open",
        }
        for k in keys
    ]
    return pa.Table.from_pylist(rows)


INCOME = service("SINGLE_PARENT").requirements[-1]


def flowing(*rows: tuple[int, str | None, str], columns: Sequence[str] = INCOME.columns) -> pa.Table:
    """(subject, application, authorisation) for the income certificate."""
    same: dict[str, Any] = {
        "document_type": "INCM",
        "variant": "standard",
        "service": "SINGLE_PARENT",
        "recipient": "mogef",
    }
    same["columns"] = list(columns)
    made = [
        same | {"_subject_key": k, "_grantor_key": k % 10, "application_id": a, "authorisation_id": i}
        for k, a, i in rows
    ]
    texts = ("document_type", "variant", "service", "recipient", "application_id", "authorisation_id")
    schema = pa.schema(
        [
            ("_subject_key", pa.int64()),
            ("_grantor_key", pa.int64()),
            *((name, pa.string()) for name in texts),
            ("columns", pa.list_(pa.string())),
        ]
    )
    return pa.Table.from_pylist(made, schema=schema)


def needed_by(applications: pa.Table, allowed: pa.Table) -> list[dict[str, Any]]:
    explained = flowing().append_column("reason", pa.array([], pa.string()))
    papers = pa.table({"application_id": pa.array([], pa.string()), "document_type": pa.array([], pa.string())})
    found: list[dict[str, Any]] = requirements(applications, papers, allowed, explained).to_pylist()
    return found


def test_an_application_is_covered_by_its_own_or_a_standing_authorisation_and_by_no_other() -> None:
    gate = flowing((1, "A1", "c"), (1, None, "b"), (1, "A9", "a"))
    found = needed_by(applications(1, 2), gate)
    of_income = {r["application_id"]: r for r in found if r["document_type"] == "INCM"}
    assert (of_income["A1"]["has_authorisation"], of_income["A1"]["authorisation_id"]) == (True, "b")
    assert (of_income["A2"]["has_authorisation"], of_income["A2"]["reason"]) == (False, "no_authorisation")
    assert len(found) == 6


def test_consent_to_only_some_of_the_columns_leaves_the_requirement_open_and_says_so() -> None:
    """A document of which the service's law needs more than was consented to does not stand for the paper."""
    assert INCOME.document_type == "INCM"
    some = flowing((1, "A1", "a"), columns=INCOME.columns[:-1])
    last = flowing((1, None, "b"), columns=INCOME.columns[-1:])
    (part,) = (r for r in needed_by(applications(1), some) if r["document_type"] == "INCM")
    assert (part["has_authorisation"], part["authorisation_id"], part["reason"]) == (False, None, "columns_outside")
    (whole,) = (r for r in needed_by(applications(1), pa.concat_tables([some, last])) if r["document_type"] == "INCM")
    assert (whole["has_authorisation"], whole["authorisation_id"], whole["reason"]) == (True, "a", None)


def test_two_persons_whom_the_application_s_authorisations_name_have_a_row_each() -> None:
    gate = flowing((1, "A1", "own"), (21, "A1", "member"))
    found = [r for r in needed_by(applications(1), gate) if r["document_type"] == "INCM"]
    assert [(r["_subject_key"], r["authorisation_id"]) for r in found] == [(1, "own"), (21, "member")]


def test_a_standing_authorisation_of_who_applied_concerns_her_and_what_she_owns_and_nobody_else() -> None:
    """Grantor is 1 of those whose key ends so; what she consents to as a guardian is about another's application."""
    assert [r["_subject_key"] for r in needed_by(applications(1), flowing((31, None, "as a guardian")))] == [1, 1, 1]
    living = {"service": "BASIC_LIVELIHOOD", "recipient": "mohw"}
    cars = pa.Table.from_pylist(
        [
            r | living | {"document_type": "VHCL"}
            for r in flowing((31, None, "own car"), (32, None, "of another")).to_pylist()
        ],
        schema=flowing().schema,
    )
    asked = pa.Table.from_pylist([applications(1).to_pylist()[0] | living])
    found = {r["document_type"]: r for r in needed_by(asked, cars)}
    assert (found["VHCL"]["_subject_key"], found["VHCL"]["reason"]) == (31, "columns_outside")
    assert found["LEAS"]["reason"] == "nothing_named"


def test_every_service_asks_each_kind_of_applicant_for_something() -> None:
    for one in services():
        for kind in one.applicants:
            asked = applications(1).to_pylist()[0] | {"service": one.id, "recipient": one.recipient}
            found = needed_by(pa.Table.from_pylist([asked | {"applicant_kind": kind}]), flowing())
            assert {r["document_type"] for r in found} == {r.document_type for r in one.needed_of(kind)} != set()
