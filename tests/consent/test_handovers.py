"""Signed evidence waits sealed for its recipient, until it is acknowledged, withdrawn or its data life is over."""

import hashlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from joserfc import jwe

from consent import approvals, disputes, handovers, ledger, outbox
from consent.disputes import Dispute
from consent.handovers import Sending
from consent.trust import Trust
from hanbeon.errors import DependencyDown
from sources.simulate import agency_keys, identity, inbox
from tests.consent.making import AT, DAY, SECOND, approval, grant, trusted

TOKEN = "header.payload.signature"
DUE = AT + 10 * DAY


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("world")


@pytest.fixture(scope="module")
def trust(home: Path) -> Trust:
    return trusted(home)


@pytest.fixture
def sending(ledger_conn: psycopg.Connection) -> Sending:
    """What a decision rests on: one consent to RRT of mois for mogef, under an agreement in force."""
    ledger.approve(ledger_conn, approval(approval_id="appr-1"), AT)
    (key,) = ledger.grant(ledger_conn, [grant()], AT)
    return Sending("A-1", "RRT", "mois", "mogef", (key,), TOKEN, AT + 30 * DAY)


def queued(conn: psycopg.Connection, trust: Trust, *given: Sending, at: datetime = AT) -> list[int]:
    with conn.transaction():
        return handovers.queue(conn, trust, given, at, DUE)


def acknowledge(conn: psycopg.Connection, trust: Trust, home: Path, at: datetime) -> None:
    for message in outbox.waiting(conn):
        claims = {"iss": "mogef", "aud": identity.ORIGIN, "kind": message.kind, "digest": message.digest.hex()}
        token = identity.signed(agency_keys.key_of(home, "mogef"), claims, inbox.TYP)
        outbox.acknowledge(conn, trust, message.number, token, at)


def outcome(conn: psycopg.Connection) -> tuple[str | None, datetime | None]:
    (one,) = handovers.handovers(conn)
    return one.outcome, one.ended_at


def test_a_document_is_sealed_for_its_recipient_alone(trust: Trust, home: Path) -> None:
    sealed = handovers.seal(trust, "mogef", TOKEN)
    opened = jwe.decrypt_compact(sealed, agency_keys.box_of(home, "mogef"))
    assert opened.plaintext == TOKEN.encode()
    assert opened.headers()["typ"] == "evidence-handover+jwe"
    assert opened.headers()["kid"] == agency_keys.box_of(home, "mogef").thumbprint()
    with pytest.raises(Exception, match=r".+"):
        jwe.decrypt_compact(sealed, agency_keys.box_of(home, "mohw"))
    with pytest.raises(DependencyDown, match="encryption key of nobody"):
        handovers.seal(trust, "nobody", TOKEN)


def test_what_waits_is_listed_with_its_message_and_says_nothing_in_clear(
    ledger_conn: psycopg.Connection, trust: Trust, home: Path, sending: Sending
) -> None:
    (number,) = queued(ledger_conn, trust, sending)
    assert handovers.handovers(ledger_conn) == [handovers.Handover(number, "A-1", "RRT", "mogef", AT, DUE, None, None)]
    (message,) = outbox.messages(ledger_conn)
    sealed = handovers.content_of(ledger_conn, message.number, AT)
    assert sealed is not None
    assert TOKEN not in sealed
    assert (message.to_agency, message.kind, message.due_at) == ("mogef", "evidence_handover", DUE)
    digest = hashlib.sha256(sealed.encode()).hexdigest()
    assert message.body == {"handover": number, "content_digest": digest}
    assert handovers.content_of(ledger_conn, message.number + 1, AT) is None


def test_a_handover_is_overdue_from_the_instant_by_which_it_was_due(
    ledger_conn: psycopg.Connection, trust: Trust, home: Path, sending: Sending
) -> None:
    queued(ledger_conn, trust, sending)
    (one,) = handovers.handovers(ledger_conn)
    assert (one.is_overdue(DUE - SECOND), one.is_overdue(DUE)) == (False, True)
    acknowledge(ledger_conn, trust, home, AT + DAY)
    handovers.settle(ledger_conn, AT + DAY)
    (one,) = handovers.handovers(ledger_conn)
    assert not one.is_overdue(DUE)


def test_p6_each_document_of_an_application_is_queued_once(
    ledger_conn: psycopg.Connection, trust: Trust, sending: Sending
) -> None:
    first = queued(ledger_conn, trust, sending)
    more = queued(
        ledger_conn, trust, sending, replace(sending, document_type="FAMR"), replace(sending, application_id="A-2")
    )
    assert len(first) == 1
    assert len(more) == 2
    assert len(outbox.messages(ledger_conn)) == 3
    assert [h.application_id for h in handovers.handovers(ledger_conn)] == ["A-1", "A-1", "A-2"]
    assert [h.number for h in handovers.handovers(ledger_conn, "A-2")] == more[1:]


def test_what_was_acknowledged_is_destroyed_and_its_message_stays(
    ledger_conn: psycopg.Connection, trust: Trust, home: Path, sending: Sending
) -> None:
    queued(ledger_conn, trust, sending)
    handovers.settle(ledger_conn, AT + DAY)
    assert outcome(ledger_conn) == (None, None)
    acknowledge(ledger_conn, trust, home, AT + DAY)
    for at in (AT + DAY, AT + 2 * DAY):
        handovers.settle(ledger_conn, at)
    assert outcome(ledger_conn) == ("acknowledged", AT + DAY)
    (message,) = outbox.messages(ledger_conn)
    assert handovers.content_of(ledger_conn, message.number, AT) is None
    assert ledger_conn.execute("select count(*) from handovers where sealed is not null").fetchone() == (0,)


@pytest.mark.parametrize(("ending", "expected"), [("withdraw", "withdrawn"), ("wait", "lapsed")])
def test_p4_nobody_is_asked_for_what_was_withdrawn_or_lapsed(
    ledger_conn: psycopg.Connection, trust: Trust, sending: Sending, ending: str, expected: str
) -> None:
    queued(ledger_conn, trust, sending)
    at = sending.keep_until if ending == "wait" else AT + DAY
    if ending == "withdraw":
        ledger.withdraw(ledger_conn, sending.authorisation_ids[0], at)
    else:
        handovers.settle(ledger_conn, at - SECOND)
        assert outcome(ledger_conn) == (None, None)
    handovers.settle(ledger_conn, at)
    assert outcome(ledger_conn) == (expected, at)
    assert outbox.messages(ledger_conn) == []
    assert handovers.handovers(ledger_conn)[0].due_at is None


def test_nothing_is_handed_over_outside_the_agreement(
    ledger_conn: psycopg.Connection, trust: Trust, sending: Sending
) -> None:
    queued(ledger_conn, trust, sending)
    (message,) = outbox.messages(ledger_conn)
    agreed = approval()
    for at, is_given in (
        (agreed.valid_from - SECOND, False),
        (agreed.valid_from, True),
        (agreed.valid_until - SECOND, True),
        (agreed.valid_until, False),
    ):
        assert (handovers.content_of(ledger_conn, message.number, at) is not None) == is_given
    approvals.suspend_approval(ledger_conn, "appr-1", AT + DAY)
    assert handovers.content_of(ledger_conn, message.number, AT + DAY) is None


def test_who_was_handed_a_record_is_told_when_it_is_corrected(
    ledger_conn: psycopg.Connection, trust: Trust, sending: Sending
) -> None:
    """The authorisation is used up, so that the share has the record no longer."""
    record = disputes.Record(7, 7, "RRT", "mois", (b"\x01" * 32,))
    key = disputes.open(ledger_conn, trust, record, ["NM"], "claim", AT)
    (dispute,) = disputes.disputes(ledger_conn, key)
    assert isinstance(dispute, Dispute)
    ledger.consume(ledger_conn, sending.authorisation_ids[0], AT + DAY)
    assert disputes.recipients_of(ledger_conn, dispute) == []
    queued(ledger_conn, trust, sending)
    assert disputes.recipients_of(ledger_conn, dispute) == ["mogef"]
