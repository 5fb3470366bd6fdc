"""Bundles when they are committed: what the ledger and gold of now do not bear leaves (P1, P5)."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pipeline.bundles import requirements, settled
from schemas.contract import gold
from schemas.services import service
from tests.consent.making import AT

BUNDLES = gold("service_bundles").gold_schema
DOCUMENTS = ("FAMR", "INCM", "RRT")


def bundle(**changes: dict[str, Any]) -> pa.Table:
    """A complete SINGLE_PARENT bundle as it was standardised; changes by document type."""
    row = {"_subject_key": 7, "APLY_NO": "A", "SRVC_NO": "SINGLE_PARENT", "UTZTN_INST_CD": "mogef"}
    state = {
        "RQDOC_STTS_NM": "satisfied_by_data",
        "BNDL_CMPTN_YN": "Y",
        "_authorisation_id": "other",
        "_observed_at": AT,
    }
    rows = [row | state | {"RQDOC_CD": d, "_evidence_id": f"e-{d}"} | changes.get(d, {}) for d in DOCUMENTS]
    return pa.Table.from_pylist(rows, schema=BUNDLES)


def needed(**changes: dict[str, Any]) -> pa.Table:
    """What the application needs now; everything covered by `own` unless told otherwise."""
    row = {
        "application_id": "A",
        "has_authorisation": True,
        "authorisation_id": "own",
        "reason": None,
        "is_paper": False,
    }
    schema = pa.schema(
        [
            ("application_id", pa.string()),
            ("document_type", pa.string()),
            ("has_authorisation", pa.bool_()),
            ("authorisation_id", pa.string()),
            ("reason", pa.string()),
            ("is_paper", pa.bool_()),
        ]
    )
    return pa.Table.from_pylist([row | {"document_type": d} | changes.get(d, {}) for d in DOCUMENTS], schema=schema)


def evidence(*documents: str) -> pa.Table:
    return pa.table(
        {
            "document_type": pa.array(documents, pa.string()),
            "_evidence_id": pa.array([f"e-{d}" for d in documents], pa.string()),
        }
    )


ALL = evidence(*DOCUMENTS)


def states(rows: pa.Table) -> dict[str, tuple[str, str | None, str | None]]:
    return {r["RQDOC_CD"]: (r["RQDOC_STTS_NM"], r["RQDOC_STTS_RSN"], r["_evidence_id"]) for r in rows.to_pylist()}


def test_what_still_stands_stays_and_names_its_own_authorisation() -> None:
    """P3: the witness of the row in gold may be another service's; the bundle rests on this application's own."""
    after = settled(bundle(), needed(), ALL)
    assert after.drop_columns(["_authorisation_id"]).equals(bundle().drop_columns(["_authorisation_id"]))
    assert after.column("_authorisation_id").to_pylist() == ["own"] * 3


def test_settling_twice_changes_nothing() -> None:
    lost = needed(RRT={"has_authorisation": False, "reason": "withdrawn"})
    once = settled(bundle(), lost, ALL)
    assert settled(once, lost, ALL).equals(once)


def test_p5_evidence_withdrawn_after_standardising_is_let_go_and_the_bundle_is_incomplete() -> None:
    lost = needed(RRT={"has_authorisation": False, "authorisation_id": None, "reason": "withdrawn"})
    after = settled(bundle(), lost, evidence("FAMR", "INCM"))
    assert states(after)["RRT"] == ("no_authorisation", "withdrawn", None)
    assert set(after.column("BNDL_CMPTN_YN").to_pylist()) == {"N"}
    row = after.to_pylist()[2]
    assert (row["_authorisation_id"], row["_observed_at"]) == (None, None)


def test_evidence_that_is_not_in_gold_is_not_pointed_to() -> None:
    after = settled(bundle(), needed(), evidence("FAMR", "RRT"))
    assert states(after)["INCM"] == ("waiting_for_data", "nothing_received", None)


def test_evidence_of_another_document_with_the_same_id_is_not_the_one() -> None:
    other = pa.table({"document_type": ["FAMR", "RRT", "RRT"], "_evidence_id": ["e-FAMR", "e-RRT", "e-INCM"]})
    assert states(settled(bundle(), needed(), other))["INCM"][2] is None


def test_a_document_that_came_on_paper_too_stays_satisfied_when_its_data_goes() -> None:
    lost = needed(RRT={"has_authorisation": False, "reason": "withdrawn", "is_paper": True})
    after = settled(bundle(), lost, evidence("FAMR", "INCM"))
    assert states(after)["RRT"] == ("satisfied_by_paper", None, None)
    assert set(after.column("BNDL_CMPTN_YN").to_pylist()) == {"Y"}


def test_an_application_decided_after_standardising_has_no_bundle() -> None:
    assert settled(bundle(), needed().slice(0, 0), ALL).num_rows == 0


def test_a_row_without_evidence_keeps_its_reason() -> None:
    waiting = {
        "RQDOC_STTS_NM": "no_authorisation",
        "RQDOC_STTS_RSN": "paused",
        "_evidence_id": None,
        "BNDL_CMPTN_YN": "N",
    }
    held = bundle(INCM=waiting)
    assert states(settled(held, needed(), ALL))["INCM"] == ("no_authorisation", "paused", None)


def applications(*keys: int) -> pa.Table:
    rows = [
        {
            "application_id": f"A{k}",
            "service": "SINGLE_PARENT",
            "recipient": "mogef",
            "applicant_key": k,
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
    made = [same | {"_subject_key": k, "application_id": a, "authorisation_id": i} for k, a, i in rows]
    texts = ("document_type", "variant", "service", "recipient", "application_id", "authorisation_id")
    schema = pa.schema(
        [("_subject_key", pa.int64()), *((name, pa.string()) for name in texts), ("columns", pa.list_(pa.string()))]
    )
    return pa.Table.from_pylist(made, schema=schema)


def needed_by(applications: pa.Table, allowed: pa.Table) -> list[dict[str, Any]]:
    explained = flowing().append_column("reason", pa.array([], pa.string()))
    papers = pa.table({"application_id": pa.array([], pa.string()), "document_type": pa.array([], pa.string())})
    found: list[dict[str, Any]] = requirements(applications, papers, allowed, explained).to_pylist()
    return found


def test_an_application_is_covered_by_its_own_or_a_standing_authorisation_and_by_no_other() -> None:
    gate = flowing((1, "A1", "c"), (1, None, "b"), (1, "A9", "a"), (2, "A1", "d"))
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
