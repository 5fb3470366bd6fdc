"""Statements in the log: numbered, canonical, never edited."""

import hashlib

import psycopg
import pytest

from consent.bodies import BodyKind, bodies, body_of, record_body
from hanbeon.errors import UsageError


def test_a_statement_is_kept_with_its_number_and_digest(ledger_conn: psycopg.Connection) -> None:
    number = record_body(ledger_conn, BodyKind.FINDING, {"what": "검토", "count": 2}, "reviews")
    assert body_of(ledger_conn, number) == {"what": "검토", "count": 2, "number": number}
    assert bodies(ledger_conn, BodyKind.FINDING)[-1]["number"] == number
    assert bodies(ledger_conn, BodyKind.CERTIFICATE) == []
    row = ledger_conn.execute("select body, digest from log_bodies where number = %s", [number]).fetchone()
    assert row is not None
    assert hashlib.sha256(row[0].encode()).digest() == row[1]
    assert row[0] == f'{{"count":2,"number":{number},"what":"검토"}}'


def test_nobody_edits_a_statement(ledger_conn: psycopg.Connection) -> None:
    number = record_body(ledger_conn, BodyKind.ACKNOWLEDGEMENT, {"what": "received"})
    for change in ("update log_bodies set body = '{}'", "delete from log_bodies", "truncate log_bodies cascade"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            ledger_conn.execute(change)
    assert body_of(ledger_conn, number) is not None
    assert body_of(ledger_conn, number + 1) is None


def test_a_number_is_not_given_twice(ledger_conn: psycopg.Connection) -> None:
    with pytest.raises(UsageError, match="number"):
        record_body(ledger_conn, BodyKind.FINDING, {"number": 1})
    assert record_body(ledger_conn, BodyKind.FINDING, {}) < record_body(ledger_conn, BodyKind.FINDING, {})
