"""Sequencing: everything once, in a stable order, nothing missed however late it is committed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from consent import accesses
from consent.accesses import Access, Action
from consent.bodies import BodyKind, record_body
from consent.log import Kind, entries, entry_bytes, index_of
from hanbeon.errors import UsageError
from tests.consent.log.making import AT, add_statement, all_entries, append_events, parties, publish_all


@contextmanager
def late(dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(dsn) as conn:  # a transaction that stays open
        yield conn


def numbers(conn: psycopg.Connection, kind: int) -> list[int]:
    query = "select number from log_entries where kind = %s order by index"
    return [row[0] for row in conn.execute(query, [kind])]


def test_an_access_that_is_committed_late_is_sequenced_late_and_never_missed(
    ledger_conn: psycopg.Connection, ledger_dsn_for_test: str
) -> None:
    with late(ledger_dsn_for_test) as first, late(ledger_dsn_for_test) as rolled_back:
        accesses.insert(first, [Access("kim", Action.SQL, "select 1")], AT)
        accesses.insert(rolled_back, [Access("kim", Action.SQL, "select 1")], AT)
        accesses.record(ledger_conn, Access("lee", Action.SQL, "select 2"), AT)
        assert entries.sequence(ledger_conn) == 1
        assert numbers(ledger_conn, 3) == [3]
        rolled_back.rollback()
        assert entries.sequence(ledger_conn) == 1
        first.commit()
    assert entries.sequence(ledger_conn) == 2
    assert numbers(ledger_conn, 3) == [3, 1]
    accesses.record(ledger_conn, Access("lee", Action.SQL, "select 3"), AT)
    assert entries.sequence(ledger_conn) == 3
    assert numbers(ledger_conn, 3) == [3, 1, 4]
    assert entries.sequence(ledger_conn) == 3


def test_statements_of_several_kinds_share_their_numbers_and_are_never_missed(
    ledger_conn: psycopg.Connection, ledger_dsn_for_test: str
) -> None:
    with late(ledger_dsn_for_test) as waiting:
        waiting.execute("select nextval(pg_get_serial_sequence('log_bodies', 'number'))")
        assert record_body(ledger_conn, BodyKind.DELIVERY, {"rows": 1}, "nts/income") == 2
        assert record_body(ledger_conn, BodyKind.CERTIFICATE, {"rows": 1}) == 3
        assert entries.sequence(ledger_conn) == 2
        waiting.execute(
            "insert into log_bodies (number, kind, stream, body, digest) overriding system value"
            " values (1, 5, '', '{}', sha256('{}'))"
        )
    assert entries.sequence(ledger_conn) == 3
    stream = entries.stream_of("nts/income")
    found = [
        index_of(ledger_conn, *of) for of in ((Kind.CERTIFICATE, 3), (Kind.DELIVERY, 2, stream), (Kind.FINDING, 1))
    ]
    assert found == [0, 1, 2]
    assert index_of(ledger_conn, Kind.DELIVERY, 2) is None


def test_an_entry_is_the_50_bytes_of_the_format(ledger_conn: psycopg.Connection) -> None:
    append_events(ledger_conn, 1)
    entries.sequence(ledger_conn)
    digest = ledger_conn.execute("select leaf_hash from events").fetchone()
    assert digest is not None
    assert all_entries(ledger_conn) == [b"\x01\x01" + (1).to_bytes(8, "big") + bytes(8) + digest[0]]
    assert all_entries(ledger_conn) == [entry_bytes(1, 1, bytes(8), digest[0])]
    for wrong in ((0, 1, bytes(8), bytes(32)), (1, 0, bytes(8), bytes(32)), (1, 1, bytes(7), bytes(32))):
        with pytest.raises(UsageError):
            entry_bytes(*wrong)


@pytest.mark.parametrize(
    "statement",
    ["update log_entries set number = 9", "delete from log_entries", "truncate log_entries", "delete from log_gaps"],
)
def test_what_is_sequenced_cannot_be_changed(ledger_conn: psycopg.Connection, statement: str) -> None:
    append_events(ledger_conn, 1)
    entries.sequence(ledger_conn)
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        ledger_conn.execute(statement)


def test_bodies_lie_in_the_file_of_their_tile_as_the_lines_of_the_format(
    ledger_conn: psycopg.Connection, tmp_path: Path
) -> None:
    who = parties(tmp_path)
    for text, events in (("first", 255), ("second", 255), ("third", 1)):
        append_events(ledger_conn, events)
        add_statement(ledger_conn, text)
        publish_all(ledger_conn, who)
    read = {p.name: p.read_text() for p in (who.folder / "bodies").iterdir()}
    assert read == {
        "000": '{"body":{"number":1,"text":"first"},"index":255}\n',
        "001": '{"body":{"number":2,"text":"second"},"index":511}\n',
        "002": '{"body":{"number":3,"text":"third"},"index":513}\n',
    }


def test_nothing_is_published_inside_a_transaction(ledger_conn: psycopg.Connection, tmp_path: Path) -> None:
    with ledger_conn.transaction(), pytest.raises(UsageError, match="transaction"):
        publish_all(ledger_conn, parties(tmp_path))
