"""P2: a victim's disclosure block wins over every consent, in the gate and line by line (F42, F43)."""

from datetime import timedelta

import psycopg
import pytest

from consent import blocks, gate, ledger
from consent.errors import ForbiddenTransition
from consent.history import history_of_subject
from consent.model import Reason
from consent.snapshot import Snapshot
from hanbeon.errors import UsageError
from tests.consent.making import AT, approval_row, authorisation_row, representation_row, snapshot_of

LAW = "가족관계의 등록 등에 관한 법률 제14조 제8항"
VICTIM, RESTRICTED = 7, 9
SECOND = timedelta(seconds=1)


def with_block(authorisation: dict[str, object], **changes: object) -> Snapshot:
    row = {"block_id": "b", "victim_key": VICTIM, "restricted_key": RESTRICTED, "legal_basis": LAW, "valid_from": AT}
    wards = [
        representation_row(representation_id=f"r-{key}", represented_key=key, representative_key=RESTRICTED)
        for key in (VICTIM, 11)
    ]
    return snapshot_of([authorisation], [approval_row()], blocks=[{**row, **changes}], representations=wards)


def reason_of(snapshot: Snapshot) -> str | None:
    return gate.explain(snapshot, AT, "auth-1")[0][2]


def test_what_the_restricted_person_consents_to_about_the_victim_does_not_flow() -> None:
    asked_by_other = authorisation_row(
        _grantor_key=RESTRICTED, _subject_key=VICTIM, grantor_capacity="guardian_of_ward"
    )
    assert reason_of(with_block(asked_by_other)) is Reason.DISCLOSURE_BLOCKED
    assert gate.allowed(with_block(asked_by_other), AT).num_rows == 0


def test_the_victims_own_consent_flows() -> None:
    assert reason_of(with_block(authorisation_row(_grantor_key=VICTIM, _subject_key=VICTIM))) is None


@pytest.mark.parametrize(("moved", "is_blocked"), [(-SECOND, True), (timedelta(0), True), (SECOND, False)])
def test_f7_a_block_holds_from_its_instant(moved: timedelta, is_blocked: bool) -> None:
    asked = authorisation_row(_grantor_key=RESTRICTED, _subject_key=VICTIM, grantor_capacity="guardian_of_ward")
    assert (reason_of(with_block(asked, valid_from=AT + moved)) is not None) is is_blocked


@pytest.mark.parametrize(("moved", "is_blocked"), [(-SECOND, False), (timedelta(0), False), (SECOND, True)])
def test_f7_a_lifted_block_ends_at_its_instant(moved: timedelta, is_blocked: bool) -> None:
    asked = authorisation_row(_grantor_key=RESTRICTED, _subject_key=VICTIM, grantor_capacity="guardian_of_ward")
    lifted = with_block(asked, valid_from=AT - timedelta(days=1), valid_until=AT + moved)
    assert (reason_of(lifted) is not None) is is_blocked


def test_documents_about_the_restricted_person_flow_without_the_victim() -> None:
    own = authorisation_row(_grantor_key=RESTRICTED, _subject_key=RESTRICTED)
    assert gate.allowed(with_block(own), AT).column("blocked").to_pylist() == [[VICTIM]]
    childs = authorisation_row(_grantor_key=RESTRICTED, _subject_key=11, grantor_capacity="guardian_of_ward")
    assert gate.allowed(with_block(childs), AT).column("blocked").to_pylist() == [[VICTIM]]
    strangers = authorisation_row(_grantor_key=12, _subject_key=12)
    assert gate.allowed(with_block(strangers), AT).column("blocked").to_pylist() == [None]


def test_a_block_is_an_event_and_lifting_it_another(ledger_conn: psycopg.Connection) -> None:
    first = blocks.block(ledger_conn, VICTIM, RESTRICTED, LAW, AT)
    assert blocks.block(ledger_conn, VICTIM, RESTRICTED, LAW, AT + SECOND) == first
    blocks.lift(ledger_conn, first, AT + SECOND)
    blocks.lift(ledger_conn, first, AT + 2 * SECOND)
    assert ledger.events(ledger_conn, 0).column("kind").to_pylist() == ["disclosure_blocked", "disclosure_block_lifted"]
    assert blocks.block(ledger_conn, VICTIM, RESTRICTED, LAW, AT + 3 * SECOND) != first


def test_the_event_of_a_block_says_whom_it_protects_from_whom_and_by_which_law(ledger_conn: psycopg.Connection) -> None:
    first = blocks.block(ledger_conn, VICTIM, RESTRICTED, LAW, AT)
    assert history_of_subject(ledger_conn, first)[0].payload == {
        "block_id": first,
        "victim_key": str(VICTIM),
        "restricted_key": str(RESTRICTED),
        "legal_basis": LAW,
    }


def test_a_block_that_makes_no_sense_is_refused(ledger_conn: psycopg.Connection) -> None:
    with pytest.raises(UsageError):
        blocks.block(ledger_conn, VICTIM, VICTIM, LAW, AT)
    with pytest.raises(UsageError):
        blocks.block(ledger_conn, VICTIM, RESTRICTED, " ", AT)
    with pytest.raises(UsageError):
        blocks.lift(ledger_conn, "block-unknown", AT)
    standing = blocks.block(ledger_conn, VICTIM, RESTRICTED, LAW, AT)
    with pytest.raises(ForbiddenTransition):
        blocks.lift(ledger_conn, standing, AT - SECOND)
    assert ledger.position(ledger_conn) == 1
