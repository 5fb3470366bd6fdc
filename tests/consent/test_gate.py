"""The gate denies by default, and says why (P1, F7, F41, F43)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from consent import gate
from consent.model import Reason
from hanbeon.errors import GateRefused, UsageError
from schemas.contract import sources
from schemas.services import service
from tests.consent.making import AT, DAY, SECOND, approval_row, authorisation_row, snapshot_of

FLOWS = None


def reason_of(
    authorisation: dict[str, Any] | None = None, approval: dict[str, Any] | None = None, at: datetime = AT
) -> Reason | None:
    snapshot = snapshot_of([authorisation_row(**(authorisation or {}))], [approval_row(**(approval or {}))])
    judged = _reason(gate.explained(snapshot, at))
    counted = gate.withheld(snapshot, at).to_pylist()
    assert gate.allowed(snapshot, at).num_rows == (judged is None)
    assert [row["reason"] for row in counted] == ([] if judged is None else [judged])
    return judged


def _reason(explained: pa.Table) -> Reason | None:
    rows = explained.to_pylist()
    return Reason(rows[0]["reason"]) if rows else None


def test_an_authorisation_with_an_approval_flows_as_it_stands() -> None:
    row = authorisation_row(mode="standing", identifier_statute="주민등록법 제30조")
    (flowing,) = gate.allowed(snapshot_of([row], [approval_row()]), AT).to_pylist()
    assert flowing == {name: row.get(name) for name in gate.GATE_SCHEMA.names}


def test_p1_an_empty_ledger_lets_nothing_through() -> None:
    snapshot = snapshot_of([], [])
    assert gate.allowed(snapshot, AT).schema == gate.GATE_SCHEMA
    assert gate.allowed(snapshot, AT).num_rows == 0
    assert gate.withheld(snapshot, AT).num_rows == 0


def test_p1_an_authorisation_without_any_approval_does_not_flow() -> None:
    snapshot = snapshot_of([authorisation_row()], [])
    assert gate.allowed(snapshot, AT).num_rows == 0
    assert gate.explain(snapshot, AT, "auth-1") == [("RRT", 7, Reason.NO_APPROVAL)]


def test_p1_an_approval_without_authorisation_lets_nothing_through() -> None:
    assert gate.allowed(snapshot_of([], [approval_row()]), AT).num_rows == 0


@pytest.mark.parametrize("named", [None, "", "  "])
def test_a_resident_number_is_processed_by_statute_alone(named: str | None) -> None:
    """PIPA 24-2: consent is no ground. A corporation's number is nobody's."""
    assert reason_of({"identifier_statute": named}) is Reason.NO_IDENTIFIER_STATUTE
    chosen = service("NHIS_WORKPLACE")
    needed = next(r for r in chosen.data_requirements if r.document_type == "CORR")
    both = {"document_type": "CORR", "holder": "scourt", "recipient": chosen.recipient, "purpose": chosen.purpose}
    own = {"service": chosen.id, "variant": needed.variant, "columns": list(needed.columns)}
    assert reason_of(both | own | {"identifier_statute": named}, both) is FLOWS


def test_p1_a_statute_opens_only_what_the_service_takes_by_statute() -> None:
    """Else whoever writes the ledger could go around consent, which asks for a citizen's signature."""
    assert reason_of({"kind": "statute", "_grantor_key": None, "proof_digest": None}) is Reason.WRONG_GROUND
    chosen = service("NHIS_WORKPLACE")
    needed = next(r for r in chosen.data_requirements if r.document_type == "CORR")
    both = {"document_type": "CORR", "holder": "scourt", "recipient": chosen.recipient, "purpose": chosen.purpose}
    own = {"service": chosen.id, "variant": needed.variant, "columns": list(needed.columns), "kind": "statute"}
    assert reason_of(both | own | {"_grantor_key": None, "proof_digest": None}, both) is FLOWS


def test_p1_court_trial_data_is_never_shareable_whatever_is_consented() -> None:
    assert reason_of({"document_type": "INSV"}, {"document_type": "INSV"}) is Reason.NEVER_SHAREABLE
    assert reason_of({"document_type": "INSV", "state": "withdrawn"}) is Reason.NEVER_SHAREABLE


@pytest.mark.parametrize(
    "column",
    [
        "authorisation_id", "kind", "_subject_key", "document_type", "variant", "columns", "holder", "recipient",
        "service", "purpose", "mode", "valid_from", "valid_until", "retain_until", "used_count", "state",
        "_grantor_key",
    ],
)  # fmt: skip
def test_p1_null_in_any_deciding_column_means_no(column: str) -> None:
    assert reason_of({column: None}) is Reason.INCOMPLETE


@pytest.mark.parametrize(
    "column", ["holder", "recipient", "document_type", "purpose", "valid_from", "valid_until", "state"]
)
def test_p1_null_in_a_deciding_column_of_the_approval_means_no(column: str) -> None:
    assert reason_of(approval={column: None}) is not FLOWS


@pytest.mark.parametrize("columns", [[], [None], ["STDG_CD", None]])
def test_p1_a_list_of_columns_with_a_hole_means_no(columns: list[str | None]) -> None:
    assert reason_of({"columns": columns}) is Reason.INCOMPLETE


@pytest.mark.parametrize("change", [{"state": "GRANTED"}, {"mode": "any"}, {"kind": "habit"}])
def test_p1_a_word_that_the_gate_does_not_know_means_no(change: dict[str, Any]) -> None:
    assert reason_of(change) is Reason.INCOMPLETE


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (AT - SECOND, Reason.NOT_YET_VALID),
        (AT, FLOWS),
        (AT + SECOND, FLOWS),
        (AT + 30 * DAY - SECOND, FLOWS),
        (AT + 30 * DAY, Reason.EXPIRED),
        (AT + 30 * DAY + SECOND, Reason.EXPIRED),
    ],
)
def test_f7_an_authorisation_is_valid_from_its_start_and_no_longer_at_its_end(
    instant: datetime, expected: Reason | None
) -> None:
    assert reason_of(at=instant) is expected


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (AT + DAY - SECOND, Reason.APPROVAL_NOT_YET_VALID),
        (AT + DAY, FLOWS),
        (AT + 2 * DAY - SECOND, FLOWS),
        (AT + 2 * DAY, Reason.APPROVAL_ENDED),
        (AT + 2 * DAY + SECOND, Reason.APPROVAL_ENDED),
    ],
)
def test_f7_an_approval_is_valid_from_its_start_and_no_longer_at_its_end(
    instant: datetime, expected: Reason | None
) -> None:
    assert reason_of(approval={"valid_from": AT + DAY, "valid_until": AT + 2 * DAY}, at=instant) is expected


def test_f7_the_leap_day_and_midnight_in_seoul_are_instants_like_any_other() -> None:
    midnight = datetime(2028, 2, 28, 15, tzinfo=UTC)  # 2028-02-29 00:00 in Seoul
    leap = {"valid_from": midnight, "valid_until": midnight + DAY, "retain_until": midnight + DAY}
    long = {"valid_until": AT + 3650 * DAY}
    assert reason_of(leap, long, midnight - SECOND) is Reason.NOT_YET_VALID
    assert reason_of(leap, long, midnight.astimezone(UTC)) is FLOWS
    assert reason_of(leap, long, midnight + DAY) is Reason.EXPIRED


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"state": "withdrawn"}, Reason.WITHDRAWN),
        ({"state": "consumed"}, Reason.CONSUMED),
        ({"used_count": 1}, Reason.CONSUMED),
        ({"state": "expired"}, Reason.EXPIRED),
        ({"state": "paused"}, Reason.PAUSED),
        ({"mode": "standing", "frequency_cap": 3, "used_count": 4}, FLOWS),  # a cap limits asking, not holding
        ({"retain_until": AT}, Reason.DATA_LIFE_OVER),
        ({"retain_until": AT + SECOND}, FLOWS),
    ],
)
def test_f41_each_end_of_an_authorisation_has_its_own_reason(change: dict[str, Any], expected: Reason | None) -> None:
    assert reason_of(change) is expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"document_type": "ZZZZ"}, Reason.UNKNOWN_DOCUMENT_TYPE),
        ({"holder": "nts"}, Reason.WRONG_HOLDER),
        ({"columns": ["STDG_CD", "RRNO"]}, Reason.COLUMN_OUTSIDE_CONTRACT),
        ({"columns": ["STDG_CD"]}, FLOWS),
        ({"recipient": "mohw"}, Reason.OUTSIDE_SERVICE),
        ({"service": "NO_SUCH"}, Reason.OUTSIDE_SERVICE),
        ({"purpose": "다른 목적"}, Reason.OUTSIDE_SERVICE),
        ({"variant": "no_such"}, Reason.WIDER_VARIANT),
    ],
)
def test_f43_what_lies_outside_contract_or_service_does_not_flow(
    change: dict[str, Any], expected: Reason | None
) -> None:
    assert reason_of(change, {k: v for k, v in change.items() if k in ("holder", "recipient", "purpose")}) is expected


@pytest.mark.parametrize(
    ("variant", "expected"), [("specific", FLOWS), ("general", FLOWS), ("detailed", Reason.WIDER_VARIANT)]
)
def test_f43_a_variant_wider_than_the_service_needs_does_not_flow(variant: str, expected: Reason | None) -> None:
    family = {"document_type": "FAMR", "holder": "scourt", "columns": ["SELF_FLNM"], "variant": variant}
    assert reason_of(family, {"document_type": "FAMR", "holder": "scourt"}) is expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"holder": "nts"}, Reason.NO_APPROVAL),
        ({"recipient": "mohw"}, Reason.NO_APPROVAL),
        ({"document_type": "FAMR"}, Reason.NO_APPROVAL),
        ({"purpose": "다른 목적"}, Reason.NO_APPROVAL),
        ({"state": "suspended"}, Reason.APPROVAL_SUSPENDED),
        ({"state": "ended"}, Reason.APPROVAL_ENDED),
    ],
)
def test_the_approval_must_match_in_holder_recipient_document_and_purpose(
    change: dict[str, Any], expected: Reason
) -> None:
    assert reason_of(approval=change) is expected


def test_one_active_approval_is_enough_and_never_doubles_a_row() -> None:
    approvals = [
        approval_row(approval_id="a", state="suspended"),
        approval_row(approval_id="b"),
        approval_row(approval_id="c"),
    ]
    assert gate.allowed(snapshot_of([authorisation_row()], approvals), AT).num_rows == 1


def test_withheld_counts_rows_by_document_type_and_first_reason() -> None:
    rows = [
        authorisation_row(authorisation_id="a", state="withdrawn", valid_until=AT),
        authorisation_row(authorisation_id="b", state="withdrawn"),
        authorisation_row(authorisation_id="c", state="paused"),
        authorisation_row(authorisation_id="d"),
        authorisation_row(authorisation_id="e", document_type="INSV"),
    ]
    assert gate.withheld(snapshot_of(rows, [approval_row()]), AT).to_pylist() == [
        {"document_type": "INSV", "reason": "never_shareable", "count": 1},
        {"document_type": "RRT", "reason": "paused", "count": 1},
        {"document_type": "RRT", "reason": "withdrawn", "count": 2},
    ]


def test_allowed_can_be_asked_for_one_document_type() -> None:
    snapshot = snapshot_of([authorisation_row()], [approval_row()])
    assert gate.allowed(snapshot, AT, "RRT").num_rows == 1
    assert gate.allowed(snapshot, AT, "FAMR").num_rows == 0


def test_explain_gives_a_reason_or_none_for_each_row_of_one_authorisation() -> None:
    rows = [authorisation_row(_subject_key=1), authorisation_row(_subject_key=2, variant="no_such")]
    snapshot = snapshot_of([*rows, authorisation_row(authorisation_id="other")], [approval_row()])
    assert gate.explain(snapshot, AT, "auth-1") == [("RRT", 1, None), ("RRT", 2, Reason.WIDER_VARIANT)]
    assert gate.explain(snapshot, AT, "no-such") == []


def test_require_raises_with_the_reason() -> None:
    snapshot = snapshot_of([authorisation_row(state="paused")], [approval_row()])
    with pytest.raises(GateRefused, match="paused") as refused:
        gate.require(snapshot, AT, "auth-1", "RRT")
    assert refused.value.reason == Reason.PAUSED
    with pytest.raises(GateRefused, match="No authorisation with this id covers FAMR"):
        gate.require(snapshot, AT, "auth-1", "FAMR")
    gate.require(snapshot_of([authorisation_row()], [approval_row()]), AT, "auth-1", "RRT")


def test_an_instant_without_time_zone_is_refused() -> None:
    with pytest.raises(UsageError):
        gate.allowed(snapshot_of([], []), datetime(2026, 6, 1))


def test_f26_hostile_texts_are_only_texts() -> None:
    hostile = {"service": "'; drop table authorisations; --", "authorisation_id": "' or flows or '"}
    assert reason_of(hostile) is Reason.OUTSIDE_SERVICE
    snapshot = snapshot_of([authorisation_row(**hostile)], [])
    assert len(gate.explain(snapshot, AT, "' or flows or '")) == 1
    assert gate.allowed(snapshot, AT, "' or true or '").num_rows == 0


def test_every_reason_can_be_told_and_sql_names_no_other() -> None:
    named = {reason for reason in Reason if f"'{reason}'" in gate.SQL}
    assert named == set(Reason)


def test_a_far_instant_changes_no_interval() -> None:
    assert reason_of(at=AT + timedelta(days=365 * 50)) is Reason.EXPIRED


def test_p10_no_column_that_may_flow_is_a_unique_identifier() -> None:
    """Consent is no ground for processing a resident number (PIPA 24-2): none is offered, whatever is consented."""
    offered = [
        c for contract in sources() for c in (*contract.content, *(c for g in contract.groups for c in g.content))
    ]
    assert offered
    assert [c.name for c in offered if c.is_identifier] == []
