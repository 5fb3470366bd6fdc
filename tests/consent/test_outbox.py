"""What other agencies must be told stays waiting until each has signed that it received it (P4, P6)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from consent import bodies, outbox
from consent.append import instant_text
from consent.bodies import BodyKind
from consent.trust import Trust
from hanbeon.errors import IntegrityError, UsageError
from sources.simulate import agency_keys, identity, inbox
from tests.consent.making import AT, DAY, trusted

BODY = {"number": 7, "scan": {"residue": 0}}


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return trusted(tmp_path)


def sent(conn: psycopg.Connection, to_agency: str = "mois", body: dict[str, Any] | None = None) -> outbox.Message:
    number = outbox.send(conn, to_agency, outbox.CERTIFICATE, body or BODY, AT, AT + 10 * DAY)
    return next(m for m in outbox.messages(conn) if m.number == number)


def answer(home: Path, message: outbox.Message, by: str = "mois", **changes: Any) -> str:
    claims = {"iss": by, "aud": identity.ORIGIN, "kind": message.kind, "digest": message.digest.hex()}
    return identity.signed(agency_keys.key_of(home, by), claims | changes, inbox.TYP)


def test_a_message_waits_until_its_addressee_s_answer_is_kept_in_the_log(
    ledger_conn: psycopg.Connection, trust: Trust, tmp_path: Path
) -> None:
    message = sent(ledger_conn)
    assert outbox.waiting(ledger_conn) == [message]
    token = answer(tmp_path, message)
    number = outbox.acknowledge(ledger_conn, trust, message.number, token, AT + DAY)
    assert outbox.waiting(ledger_conn) == []
    (kept,) = bodies.bodies(ledger_conn, BodyKind.ACKNOWLEDGEMENT)
    assert (kept["number"], kept["by"], kept["token"], kept["digest"]) == (number, "mois", token, message.digest.hex())
    assert kept["acknowledged_at"] == instant_text(AT + DAY)
    (after,) = outbox.messages(ledger_conn)
    assert (after.acknowledged_at, after.acknowledgement) == (AT + DAY, number)


def test_p6_the_same_message_is_queued_once_and_acknowledged_once(
    ledger_conn: psycopg.Connection, trust: Trust, tmp_path: Path
) -> None:
    first, again = sent(ledger_conn), sent(ledger_conn)
    assert first == again
    assert sent(ledger_conn, "nts").number != first.number
    token = answer(tmp_path, first)
    numbers = {outbox.acknowledge(ledger_conn, trust, first.number, token, AT) for _ in range(2)}
    assert len(numbers) == 1
    assert len(bodies.bodies(ledger_conn, BodyKind.ACKNOWLEDGEMENT)) == 1


def test_a_message_is_overdue_from_the_instant_by_which_it_was_due(
    ledger_conn: psycopg.Connection, trust: Trust, tmp_path: Path
) -> None:
    message, second = sent(ledger_conn), timedelta(seconds=1)
    assert outbox.overdue(ledger_conn, message.due_at - second) == []
    assert outbox.overdue(ledger_conn, message.due_at) == [message]
    assert (message.is_overdue(message.due_at - second), message.is_overdue(message.due_at)) == (False, True)
    outbox.acknowledge(ledger_conn, trust, message.number, answer(tmp_path, message), message.due_at)
    assert outbox.overdue(ledger_conn, message.due_at + second) == []
    assert not outbox.messages(ledger_conn)[0].is_overdue(message.due_at + second)


@pytest.mark.parametrize(
    "wrong",
    [
        {"by": "nts"},
        {"aud": "somebody.example/log"},
        {"kind": "consent_withdrawn"},
        {"digest": "00" * 32},
        {"iss": "nts"},
    ],
)
def test_an_answer_that_is_another_s_or_about_something_else_is_refused(
    ledger_conn: psycopg.Connection, trust: Trust, tmp_path: Path, wrong: dict[str, str]
) -> None:
    message = sent(ledger_conn)
    with pytest.raises(IntegrityError):
        outbox.acknowledge(ledger_conn, trust, message.number, answer(tmp_path, message, **wrong), AT)
    assert outbox.waiting(ledger_conn) == [message]


def test_whoever_may_import_consents_may_not_acknowledge_nor_the_other_way_round(
    ledger_conn: psycopg.Connection, trust: Trust, tmp_path: Path
) -> None:
    assert set(trust.partners) == set(agency_keys.AGENCIES)
    assert set(trust.agencies) == {identity.AGENCY}
    message = sent(ledger_conn, identity.AGENCY)
    claims = {"iss": identity.AGENCY, "aud": identity.ORIGIN, "kind": message.kind, "digest": message.digest.hex()}
    token = identity.signed(identity.agency_key(tmp_path), claims, inbox.TYP)
    with pytest.raises(IntegrityError):
        outbox.acknowledge(ledger_conn, trust, message.number, token, AT)


def test_an_unknown_message_and_a_due_instant_in_the_past_are_refused(
    ledger_conn: psycopg.Connection, trust: Trust
) -> None:
    with pytest.raises(UsageError, match="no message"):
        outbox.acknowledge(ledger_conn, trust, 99, "x", AT)
    with pytest.raises(UsageError, match="before it is made"):
        outbox.send(ledger_conn, "mois", outbox.CERTIFICATE, BODY, AT, AT - DAY)
