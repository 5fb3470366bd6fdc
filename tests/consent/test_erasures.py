"""An erasure that was begun is remembered until its certificate stands, whatever dies in between (F1, P4)."""

import psycopg
import pytest

from consent import bodies, dead_rows, erasures, vault
from consent.bodies import BodyKind
from consent.erasures import Loss, Values
from hanbeon.errors import DependencyDown
from tests.consent.making import AT, DAY

LOSSES = [Loss("gold/x", 4, 3, 1), Loss("bronze/a/b", 2, 0, 5)]
VALUES = Values((("RRN", ("9023014000001",)), ("name", ("김하나", "이두리"))), 2, 1)


def begun(conn: psycopg.Connection, secrets: vault.Secrets, values: Values | None = None) -> erasures.Erasure:
    return erasures.begin(conn, secrets, "run-1", 7, LOSSES, ["auth-1", "42"], AT, values)


@pytest.mark.parametrize("values", [None, VALUES])
def test_what_was_begun_is_remembered_whole_and_rests_encrypted(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, values: Values | None
) -> None:
    one = begun(ledger_conn, secrets, values)
    expected = erasures.Erasure(one.number, "run-1", AT, 7, tuple(LOSSES), ("auth-1", "42"), values)
    assert one == expected
    assert erasures.unfinished(ledger_conn, secrets) == [expected]
    (told,) = ledger_conn.execute("select e::text from erasures as e").fetchone() or ("",)
    assert "auth-1" not in told
    assert "김하나" not in told


def test_a_finished_one_is_unfinished_no_longer_and_its_ids_are_gone(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets
) -> None:
    first, second = begun(ledger_conn, secrets), begun(ledger_conn, secrets)
    assert [e.number for e in erasures.unfinished(ledger_conn, secrets)] == [first.number, second.number]
    number = bodies.record_body(ledger_conn, BodyKind.CERTIFICATE, {"erasure": first.number})
    assert erasures.certificate_of(ledger_conn, first.number) == number
    assert erasures.certificate_of(ledger_conn, second.number) is None
    erasures.finish(ledger_conn, first.number, number, AT + DAY)
    assert [e.number for e in erasures.unfinished(ledger_conn, secrets)] == [second.number]
    row = ledger_conn.execute("select sealed, finished_at, certificate from erasures order by number").fetchone()
    assert row == (None, AT + DAY, number)


def test_one_that_waits_for_a_file_is_taken_up_only_when_somebody_asks(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets
) -> None:
    first, second = begun(ledger_conn, secrets), begun(ledger_conn, secrets)
    erasures.found(ledger_conn, first.number, AT + DAY)
    assert [e.number for e in erasures.unfinished(ledger_conn, secrets)] == [second.number]
    both = [e.number for e in erasures.unfinished(ledger_conn, secrets, is_now=True)]
    assert both == [first.number, second.number]


def test_what_went_adds_up_over_every_attempt(ledger_conn: psycopg.Connection, secrets: vault.Secrets) -> None:
    one, other = begun(ledger_conn, secrets), begun(ledger_conn, secrets)
    assert erasures.add_up(ledger_conn, one.number, [1, 0, 2]) == [1, 0, 2]
    assert erasures.add_up(ledger_conn, one.number, [1, 5, 0]) == [2, 5, 2]
    assert erasures.add_up(ledger_conn, other.number, [1]) == [1]


def test_an_erasure_is_over_once_its_dead_rows_are_cleared(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets
) -> None:
    assert erasures.oldest_unended(ledger_conn) is None
    first, second, third = (begun(ledger_conn, secrets) for _ in range(3))
    assert erasures.oldest_unended(ledger_conn) == AT
    number = bodies.record_body(ledger_conn, BodyKind.CERTIFICATE, {})
    for one, certificate in ((first, number), (second, number), (third, None)):
        erasures.finish(ledger_conn, one.number, certificate, AT + DAY)
    assert erasures.oldest_unended(ledger_conn) == AT, "the dead rows of two are there"
    erasures.clear_up_to(ledger_conn, first.number, AT + DAY)
    assert erasures.oldest_unended(ledger_conn) == AT
    erasures.clear_up_to(ledger_conn, second.number, AT + 2 * DAY)
    assert erasures.oldest_unended(ledger_conn) is None
    found = ledger_conn.execute("select cleared_at from erasures order by number").fetchall()
    assert [row[0] for row in found] == [AT + DAY, AT + 2 * DAY, None]


def test_one_erasure_at_a_time(ledger_conn: psycopg.Connection, ledger_dsn_for_test: str) -> None:
    take = "select pg_try_advisory_lock(%s)"
    with psycopg.connect(ledger_dsn_for_test, autocommit=True) as other:
        with erasures.alone(ledger_conn):
            assert other.execute(take, [erasures.LOCK]).fetchone() == (False,)
        assert other.execute(take, [erasures.LOCK]).fetchone() == (True,)


def test_dead_rows_are_cleared_from_the_tables_and_on_our_server_from_its_files(
    ledger_conn: psycopg.Connection,
) -> None:
    ledger_conn.execute("create table full_of as select generate_series(1, 5000) as n")
    size = "select pg_relation_size('full_of')"
    before = ledger_conn.execute(size).fetchone()
    ledger_conn.execute("delete from full_of")
    log = ledger_conn.execute("select pg_current_wal_insert_lsn()").fetchone()
    assert dead_rows.clear(ledger_conn, True, ["full_of"]) == 2
    assert ledger_conn.execute(size).fetchone() == (0,)
    assert before != (0,)
    assert log != ledger_conn.execute("select pg_current_wal_insert_lsn()").fetchone()
    assert ledger_conn.execute("show lock_timeout").fetchone() == ("0",)
    assert dead_rows.clear(ledger_conn, False, ["full_of"]) == 1
    assert dead_rows.clear(ledger_conn, False) == len(dead_rows.TABLES)


def test_a_table_in_use_is_said_and_not_waited_for(
    ledger_conn: psycopg.Connection, ledger_dsn_for_test: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_rows, "WAIT", "50ms")
    with psycopg.connect(ledger_dsn_for_test) as other:
        other.execute("select from papers")
        with pytest.raises(DependencyDown, match="in use"):
            dead_rows.clear(ledger_conn, False, ["papers"])
    assert ledger_conn.execute("show lock_timeout").fetchone() == ("0",)
