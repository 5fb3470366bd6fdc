"""Publishing: what is in the log, in which files, signed by whom."""

from pathlib import Path

import psycopg
import pytest

from consent import accesses
from consent.accesses import Access, Action
from consent.log import Kind, index_of, newest, prove
from consent.merkle import leaf_hash, root_of_path
from tests.consent.log.making import AT, Parties, add_statement, all_entries, append_events, parties, publish_all
from tests.consent.log.making import reference_root as root_of


@pytest.fixture
def who(tmp_path: Path) -> Parties:
    return parties(tmp_path)


def test_events_accesses_and_statements_come_under_one_checkpoint(
    ledger_conn: psycopg.Connection, who: Parties
) -> None:
    append_events(ledger_conn, 3)
    accesses.record(ledger_conn, Access("kim", Action.SQL, "select 1"), AT)
    number = add_statement(ledger_conn, "found nothing")
    checkpoint = publish_all(ledger_conn, who)
    assert checkpoint.size == 5
    assert checkpoint.root == root_of(all_entries(ledger_conn))
    assert checkpoint == newest(who.folder)
    assert [index_of(ledger_conn, *of) for of in ((Kind.EVENT, 1), (Kind.ACCESS, 1), (Kind.FINDING, number))] == [
        0,
        3,
        4,
    ]
    for index in range(5):
        proof = prove(who.folder, index)
        assert root_of_path(leaf_hash(proof.entry), index, proof.size, proof.path) == checkpoint.root


@pytest.mark.parametrize("steps", [[1, 255, 1, 255], [256, 1], [255, 1, 1, 700], [513, 300, 0, 3]])
def test_a_log_that_grows_in_steps_is_the_log_that_came_at_once(
    ledger_conn: psycopg.Connection, who: Parties, tmp_path: Path, steps: list[int]
) -> None:
    for count in steps:
        append_events(ledger_conn, count)
        checkpoint = publish_all(ledger_conn, who)
        assert checkpoint.root == root_of(all_entries(ledger_conn))
    at_once = parties(tmp_path / "again")
    assert publish_all(ledger_conn, at_once).root == checkpoint.root
    grown, whole = (
        {p.relative_to(w.folder): p.read_bytes() for p in w.folder.rglob("*") if p.is_file() and p.name != "checkpoint"}
        for w in (who, at_once)
    )
    assert whole.items() <= grown.items()
