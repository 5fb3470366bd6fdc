"""Access records: what their leaf hash commits to, and how they end (P9, docs/proof.md section 2)."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from consent import accesses
from consent.accesses import Access, Action

AT = datetime(2026, 6, 1, 0, 30, 0, 5, tzinfo=UTC)
REFUSED = Access(
    "김주무관",
    Action.BUNDLE,
    'a bundle "in full"',
    "mogef",
    "SINGLE_PARENT",
    "app-x",
    -7,
    "RRT",
    "auth-x",
    False,
    "expired",
)


def documented_hash(row: dict[str, Any]) -> bytes:
    """The paragraph of docs/proof.md, word for word."""
    members = {name: value for name, value in row.items() if name not in ("salt", "leaf_hash")}
    key = members["_subject_key"]
    members["_subject_key"] = None if key is None else str(key)
    members["recorded_at"] = members["recorded_at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    text = json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(row["salt"] + text.encode()).digest()


def test_the_leaf_hash_of_a_record_is_the_documented_one(ledger_conn: psycopg.Connection) -> None:
    ids = accesses.record_all(ledger_conn, [REFUSED, Access("lee", Action.SQL, "select 1")], AT)
    rows = accesses.listing(ledger_conn).to_pylist()
    assert [row["access_id"] for row in rows] == ids
    for row in rows:
        assert row["leaf_hash"] == documented_hash(row) == accesses.leaf_hash(row)
        assert len(row["salt"]) == 32
    assert rows[0]["salt"] != rows[1]["salt"]


def test_the_canonical_record_is_what_an_auditor_reads(ledger_conn: psycopg.Connection) -> None:
    accesses.record(ledger_conn, REFUSED, AT)
    assert json.loads(accesses.entry_of(accesses.listing(ledger_conn).to_pylist()[0])) == {
        "_subject_key": "-7",
        "access_id": "1",
        "action": "bundle",
        "application_id": "app-x",
        "asked": 'a bundle "in full"',
        "authorisation_id": "auth-x",
        "document_type": "RRT",
        "is_granted": False,
        "reader": "김주무관",
        "reason": "expired",
        "recipient": "mogef",
        "recorded_at": "2026-06-01T00:30:00.000005Z",
        "service": "SINGLE_PARENT",
    }


@pytest.mark.parametrize(
    ("asked", "found"),
    [({}, "abcd"), ({"application_id": "app-1"}, "ab"), ({"reader": "lee"}, "bd"), ({"subject_key": 7}, "ac"),
     ({"application_id": "app-1", "reader": "lee"}, "b"), ({"subject_key": 9}, "")],
)  # fmt: skip
def test_p9_records_are_found_by_application_reader_and_subject(
    ledger_conn: psycopg.Connection, asked: dict[str, Any], found: str
) -> None:
    for number, (text, reader, application, subject) in enumerate(
        (("a", "kim", "app-1", 7), ("b", "lee", "app-1", 8), ("c", "kim", "app-2", 7), ("d", "lee", None, None))
    ):
        one = Access(reader, Action.SQL, text, application_id=application, subject_key=subject)
        accesses.record(ledger_conn, one, AT.replace(minute=number))
    assert "".join(accesses.listing(ledger_conn, **asked).column("asked").to_pylist()) == found


def test_an_erased_record_keeps_its_number_instant_and_leaf_hash_alone(ledger_conn: psycopg.Connection) -> None:
    ids = accesses.record_all(ledger_conn, [REFUSED, REFUSED], AT)
    before = accesses.listing(ledger_conn).to_pylist()
    assert accesses.erase(ledger_conn, [int(ids[0])]) == 1
    assert accesses.erase(ledger_conn, [int(ids[0])]) == 0
    after = accesses.listing(ledger_conn).to_pylist()
    kept = {name: value for name, value in after[0].items() if value is not None}
    assert kept == {name: before[0][name] for name in ("access_id", "recorded_at", "leaf_hash")}
    assert after[1] == before[1]


@pytest.mark.parametrize(
    "statement",
    [
        "update accesses set reader = 'lee'",
        "update accesses set salt = null",
        "set hanbeon.erasing = on; update accesses set reader = 'lee'",
        "set hanbeon.erasing = on; update accesses set leaf_hash = sha256('x')",
        "set hanbeon.erasing = on; delete from accesses",
        "delete from accesses",
        "truncate accesses",
    ],
)
def test_p9_a_record_cannot_be_changed_in_any_other_way(ledger_conn: psycopg.Connection, statement: str) -> None:
    accesses.record(ledger_conn, REFUSED, AT)
    before = accesses.listing(ledger_conn)
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        ledger_conn.execute(statement)
    assert accesses.listing(ledger_conn) == before
