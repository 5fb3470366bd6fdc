"""A dispute goes from the claim to the holder's answer and the corrected record, one event a step (PIPA 36)."""

import hashlib
from datetime import datetime
from typing import Any

import psycopg
import pytest
from joserfc import jwe

from consent import disputes, history, ledger, outbox, subject_notices
from consent.append import instant_text
from consent.disputes import Record
from consent.errors import ForbiddenTransition
from consent.subject_notices import About
from consent.trust import Trust
from consent.workdays import term_ends
from hanbeon.errors import UsageError
from sources.simulate import agency_keys
from tests.consent.making import AT, DAY, SECOND, grant, scope, standing, trusted

CLAIM = "제 이름이 다릅니다."
HASHES = (b"\x01" * 32, b"\x02" * 32)
RECORD = Record(7, 9, "RRT", "mois", HASHES)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("world")


@pytest.fixture(scope="module")
def trust(home: Any) -> Trust:
    return trusted(home)


@pytest.fixture
def dispute_id(ledger_conn: psycopg.Connection, trust: Trust) -> str:
    return disputes.open(ledger_conn, trust, RECORD, ["ADDR", "NM"], CLAIM, AT)


def found(conn: psycopg.Connection, dispute_id: str) -> disputes.Dispute:
    (dispute,) = disputes.disputes(conn, dispute_id)
    return dispute


def events(conn: psycopg.Connection, dispute_id: str) -> list[tuple[str, dict[str, Any] | None]]:
    return [(e.kind, e.payload) for e in history.history_of_subject(conn, dispute_id)]


def test_an_open_dispute_knows_the_record_and_the_holder_s_ten_days(
    ledger_conn: psycopg.Connection, dispute_id: str
) -> None:
    due = term_ends(AT, 10)
    expected = disputes.Dispute(
        dispute_id, 7, 9, "RRT", "mois", ("ADDR", "NM"), frozenset(HASHES), "open", AT, due, None, None, None, None
    )
    assert found(ledger_conn, dispute_id) == expected
    assert (expected.is_overdue(due - SECOND), expected.is_overdue(due)) == (False, True)
    payload = {"subject_key": "7", "document_type": "RRT", "columns": ["ADDR", "NM"]}
    assert events(ledger_conn, dispute_id) == [("dispute_opened", payload)]


def test_the_holder_alone_reads_the_claim_and_is_told_what_and_by_when(
    ledger_conn: psycopg.Connection, dispute_id: str, home: Any
) -> None:
    (message,) = outbox.messages(ledger_conn)
    sealed = disputes.content_of(ledger_conn, message.number)
    assert sealed is not None
    assert (message.to_agency, message.kind, message.due_at) == ("mois", "correction_demand", term_ends(AT, 10))
    assert message.body == {
        "dispute": dispute_id,
        "document_type": "RRT",
        "columns": ["ADDR", "NM"],
        "content_digest": hashlib.sha256(sealed.encode()).hexdigest(),
        "answer_due": instant_text(term_ends(AT, 10)),
    }
    assert jwe.decrypt_compact(sealed, agency_keys.box_of(home, "mois")).plaintext == CLAIM.encode()
    assert disputes.content_of(ledger_conn, message.number + 1) is None


def test_an_upheld_dispute_waits_for_the_corrected_record(ledger_conn: psycopg.Connection, dispute_id: str) -> None:
    for at in (AT + DAY, AT + 2 * DAY):
        disputes.uphold(ledger_conn, dispute_id, at)
    after = found(ledger_conn, dispute_id)
    assert (after.state, after.answered_at, after.reason, after.appeal) == ("upheld", AT + DAY, None, None)
    assert not after.is_overdue(after.due_at)
    assert events(ledger_conn, dispute_id)[1:] == [("dispute_answered", {"answer": "upheld"})]
    (message,) = outbox.messages(ledger_conn)
    assert disputes.content_of(ledger_conn, message.number) is None, "the claim goes with the answer"
    (notice,) = subject_notices.notices(ledger_conn)
    assert (notice.subject_key, notice.kind, notice.reference) == (9, About.DISPUTE_ANSWERED, dispute_id)
    assert notice.texts == (
        f"정정 요구({dispute_id})에 대한 mois의 답변: 받아들임.  다르게 생각하시면: -.",
        f"Answer of mois to your request for correction ({dispute_id}): upheld.  To object: -.",
    )
    with pytest.raises(ForbiddenTransition, match="upheld already"):
        disputes.refuse(ledger_conn, dispute_id, "no", "court", AT + 3 * DAY)


def test_a_refusal_tells_reason_and_appeal_and_is_the_end(ledger_conn: psycopg.Connection, dispute_id: str) -> None:
    disputes.refuse(ledger_conn, dispute_id, "기록이 맞습니다.", "개인정보 보호위원회", AT + DAY)
    after = found(ledger_conn, dispute_id)
    assert (after.state, after.reason, after.appeal) == ("refused", "기록이 맞습니다.", "개인정보 보호위원회")
    (notice,) = subject_notices.notices(ledger_conn)
    assert notice.texts[0] == (
        f"정정 요구({dispute_id})에 대한 mois의 답변: 거절. 기록이 맞습니다. 다르게 생각하시면: 개인정보 보호위원회."
    )
    with pytest.raises(ForbiddenTransition, match="refused already"):
        disputes.uphold(ledger_conn, dispute_id, AT + 2 * DAY)
    assert disputes.correct(ledger_conn, dispute_id, ["mogef"], AT + 2 * DAY) == []
    assert found(ledger_conn, dispute_id).state == "refused"


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_correction_is_told_to_citizen_and_recipients_with_their_authorisations(
    ledger_conn: psycopg.Connection, dispute_id: str, is_answered: bool
) -> None:
    (own,) = ledger.grant(ledger_conn, [grant(scope())], AT)
    ledger.grant(ledger_conn, [grant(scope(subject_key=8)), grant(scope("FAMR"))], AT)
    if is_answered:
        disputes.uphold(ledger_conn, dispute_id, AT + DAY)
    at = AT + 2 * DAY
    numbers = disputes.correct(ledger_conn, dispute_id, {"nts", "mogef"}, at)
    sent = {m.number: m for m in outbox.messages(ledger_conn)}
    assert [sent[n].to_agency for n in numbers] == ["mogef", "nts"]
    body = {"dispute": dispute_id, "document_type": "RRT", "columns": ["ADDR", "NM"]}
    assert [sent[n].body for n in numbers] == [body | {"authorisations": [own]}, body | {"authorisations": []}]
    assert {(sent[n].kind, sent[n].made_at, sent[n].due_at) for n in numbers} == {
        ("record_corrected", at, term_ends(at, 10))
    }
    after = found(ledger_conn, dispute_id)
    assert (after.state, after.corrected_at) == ("corrected", at)
    assert not after.is_overdue(after.due_at)
    assert events(ledger_conn, dispute_id)[-1] == ("dispute_corrected", {})
    assert disputes.content_of(ledger_conn, min(sent)) is None
    (told,) = [n for n in subject_notices.notices(ledger_conn) if n.kind == About.RECORD_CORRECTED]
    assert (told.subject_key, told.reference, told.made_at) == (9, dispute_id, at)
    assert told.texts[1].startswith("mois has corrected the record RRT")
    assert disputes.correct(ledger_conn, dispute_id, ["mogef"], at) == []
    disputes.uphold(ledger_conn, dispute_id, at)
    assert found(ledger_conn, dispute_id).state == "corrected"


def test_recipients_are_those_who_read_the_record_now(ledger_conn: psycopg.Connection, dispute_id: str) -> None:
    dispute = found(ledger_conn, dispute_id)
    assert disputes.recipients_of(ledger_conn, dispute) == []
    (key,) = ledger.grant(ledger_conn, [standing(scope())], AT)
    ledger.grant(
        ledger_conn, [grant(scope(subject_key=8), recipient="nts"), grant(scope("FAMR"), recipient="mohw")], AT
    )
    assert disputes.recipients_of(ledger_conn, dispute) == ["mogef"]
    ledger.pause(ledger_conn, key, AT + DAY)
    assert disputes.recipients_of(ledger_conn, dispute) == ["mogef"]
    ledger.withdraw(ledger_conn, key, AT + 2 * DAY)
    assert disputes.recipients_of(ledger_conn, dispute) == []


def test_disputes_are_listed_oldest_first(ledger_conn: psycopg.Connection, trust: Trust, dispute_id: str) -> None:
    earlier = disputes.open(ledger_conn, trust, RECORD, ["NM"], CLAIM, AT - DAY)
    assert [d.dispute_id for d in disputes.disputes(ledger_conn)] == [earlier, dispute_id]
    assert disputes.disputes(ledger_conn, "disp-unknown") == []


@pytest.mark.parametrize(("columns", "claim"), [([], CLAIM), (["NM"], " "), (["NM"], "x" * 4001)])
def test_a_dispute_names_columns_and_a_claim_of_bounded_length(
    ledger_conn: psycopg.Connection, trust: Trust, columns: list[str], claim: str
) -> None:
    with pytest.raises(UsageError):
        disputes.open(ledger_conn, trust, RECORD, columns, claim, AT)
    assert disputes.open(ledger_conn, trust, RECORD, ["NM"], "x" * 4000, AT)
    assert len(disputes.disputes(ledger_conn)) == 1


@pytest.mark.parametrize(("reason", "appeal"), [(" ", "court"), ("no", " ")])
def test_a_refusal_without_reason_or_appeal_is_none(
    ledger_conn: psycopg.Connection, dispute_id: str, reason: str, appeal: str
) -> None:
    with pytest.raises(UsageError, match="how the citizen can appeal"):
        disputes.refuse(ledger_conn, dispute_id, reason, appeal, AT + DAY)
    assert found(ledger_conn, dispute_id).state == "open"


def test_an_unknown_dispute_and_an_instant_without_zone_are_refused(
    ledger_conn: psycopg.Connection, trust: Trust, dispute_id: str
) -> None:
    naive = datetime(2026, 6, 2)
    with pytest.raises(UsageError, match="no dispute with this id"):
        disputes.uphold(ledger_conn, "disp-unknown", AT)
    with pytest.raises(UsageError, match="an answer"):
        disputes.uphold(ledger_conn, dispute_id, naive)
    with pytest.raises(UsageError, match="a dispute"):
        disputes.open(ledger_conn, trust, RECORD, ["NM"], CLAIM, naive)
