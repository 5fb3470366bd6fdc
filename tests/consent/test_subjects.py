"""One subject under many numbers (P10: the vault alone knows them)."""

from datetime import timedelta

import psycopg
import pytest

from consent import vault
from consent.secrets import Secrets
from consent.subjects import meet
from hanbeon.errors import UsageError
from tests.consent.making import AT

PERSON = [("RRN", "9021011234567"), ("PNO", "M12345678"), ("DLN", "119012345678")]
FIRM = [("CRN", "1101110000001"), ("BRN", "9990100001")]


def found(conn: psycopg.Connection, secrets: Secrets, numbers: list[tuple[str, str]]) -> set[int | None]:
    return {vault.find(conn, secrets, kind, [i]).to_pylist()[0] for kind, i in numbers}


def test_every_number_of_a_subject_leads_to_one_key(ledger_conn: psycopg.Connection, secrets: Secrets) -> None:
    person, firm = meet(ledger_conn, secrets, [PERSON, FIRM], AT)
    assert person != firm
    assert found(ledger_conn, secrets, PERSON) == {person}
    assert found(ledger_conn, secrets, FIRM) == {firm}


def test_saying_it_again_changes_nothing_and_a_new_number_joins(
    ledger_conn: psycopg.Connection, secrets: Secrets
) -> None:
    (key,) = meet(ledger_conn, secrets, [PERSON[:1]], AT)
    later = AT + timedelta(days=1)
    assert meet(ledger_conn, secrets, [PERSON[::-1]], later) == [key]
    assert meet(ledger_conn, secrets, [PERSON], later) == [key]
    assert found(ledger_conn, secrets, PERSON) == {key}


def test_two_identities_are_never_joined(ledger_conn: psycopg.Connection, secrets: Secrets) -> None:
    meet(ledger_conn, secrets, [PERSON[:1], PERSON[1:2]], AT)
    with pytest.raises(UsageError, match="two subjects") as refused:
        meet(ledger_conn, secrets, [FIRM, PERSON], AT)
    assert not any(number in str(refused.value) for _, number in PERSON)
    assert found(ledger_conn, secrets, FIRM) == {None}  # all or nothing


def test_one_number_of_two_subjects_is_refused(ledger_conn: psycopg.Connection, secrets: Secrets) -> None:
    with pytest.raises(UsageError, match="two of these subjects"):
        meet(ledger_conn, secrets, [PERSON, [*FIRM, PERSON[1]]], AT)
    assert found(ledger_conn, secrets, FIRM + PERSON) == {None}


def test_a_subject_without_a_number_is_refused(ledger_conn: psycopg.Connection, secrets: Secrets) -> None:
    with pytest.raises(UsageError, match="one number at least"):
        meet(ledger_conn, secrets, [PERSON, []], AT)
