"""Secrets of owners: made once, bound to their row, gone when destroyed."""

import psycopg
import pytest

from consent import owners
from consent.secrets import Secrets
from hanbeon.errors import IntegrityError
from tests.consent.making import AT

ONE, TWO, SHARED = owners.owner_of_key(-5), owners.owner_of_key(2**62), b"p" * 16


def test_an_owner_keeps_its_secret_and_no_two_have_the_same(ledger_conn: psycopg.Connection, secrets: Secrets) -> None:
    first = owners.secrets_of(ledger_conn, secrets, [ONE, SHARED, ONE])
    second = owners.secrets_of(ledger_conn, secrets, {ONE, TWO, SHARED})
    assert first.items() <= second.items()
    assert len(set(second.values())) == 3
    assert {len(s) for s in second.values()} == {32}


def test_a_destroyed_secret_never_comes_back(ledger_conn: psycopg.Connection, secrets: Secrets) -> None:
    before = owners.secrets_of(ledger_conn, secrets, [ONE, TWO])
    assert owners.destroy(ledger_conn, [ONE, SHARED], AT) == 1
    assert owners.known(ledger_conn, secrets, [ONE, TWO]) == {TWO: before[TWO]}
    assert owners.secrets_of(ledger_conn, secrets, [ONE])[ONE] != before[ONE]


def test_f47_a_ciphertext_moved_to_another_row_is_refused(ledger_conn: psycopg.Connection, secrets: Secrets) -> None:
    owners.secrets_of(ledger_conn, secrets, [ONE, TWO])
    ledger_conn.execute(
        "update owner_secrets set ciphertext = (select ciphertext from owner_secrets where owner = %s)"
        " where owner = %s",
        [ONE, TWO],
    )
    with pytest.raises(IntegrityError):
        owners.known(ledger_conn, secrets, [TWO])


def test_the_database_holds_no_secret_in_clear(ledger_conn: psycopg.Connection, secrets: Secrets) -> None:
    secret = owners.secrets_of(ledger_conn, secrets, [ONE])[ONE]
    row = ledger_conn.execute("select ciphertext from owner_secrets").fetchone()
    assert row is not None
    assert secret not in bytes(row[0])


def test_keys_for_two_purposes_tables_or_buckets_differ(secrets: Secrets) -> None:
    assert owners.derive(b"s" * 32, "payload") != owners.derive(b"s" * 32, "rows")
    keys = {owners.blinding_key(secrets, t, b) for t in ("gold/a", "gold/b") for b in (0, 1)}
    assert len(keys) == 4
