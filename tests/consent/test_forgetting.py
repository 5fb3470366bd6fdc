"""Who is needed by nothing is forgotten, with all that remembers asking for her; everybody else stays (P4, P10)."""

from collections.abc import Callable
from datetime import date

import psycopg
import pyarrow as pa
import pytest

from consent import (
    applications,
    blocks,
    deaths,
    forgetting,
    holds,
    journal,
    ledger,
    representations,
    subject_notices,
    vault,
)
from consent.holds import Ground, Terms
from consent.journal import Call, PullState
from consent.model import Kind
from consent.subject_notices import About
from tests.consent.making import AT, DAY, SECOND, application, grant, scope

ONE, TWO = "9023014000001", "9023024000002"
LATER = AT + 300 * DAY
NEEDS: dict[str, Callable[[psycopg.Connection, int], object]] = {
    "an authorisation about her": lambda c, k: ledger.grant(c, [grant(scope(subject_key=k))], AT),
    "an authorisation by her": lambda c, k: ledger.grant(c, [grant(scope(subject_key=1), grantor_key=k)], AT),
    "an open application": lambda c, k: applications.open(c, application("A-1", k)),
    "a block for her": lambda c, k: blocks.block(c, k, 1, "Act 29", AT),
    "a block against her": lambda c, k: blocks.block(c, 1, k, "Act 29", AT),
    "a representation of her": lambda c, k: representations.record(c, k, 1, "guardian_of_ward", "GRDN", AT),
    "a representation by her": lambda c, k: representations.record(c, 1, k, "guardian_of_ward", "GRDN", AT),
    "a hold": lambda c, k: holds.place(c, Terms(Ground.APPEAL, "Act", LATER, LATER), AT, subject=(k, "RRT")),
    "a notice to deliver": lambda c, k: subject_notices.owe(c, k, About.HOLD_ENDED, "x", {"documents": "RRT"}, AT),
}


@pytest.fixture
def key(ledger_conn: psycopg.Connection, secrets: vault.Secrets) -> int:
    return int(vault.keys(ledger_conn, secrets, "RRN", [ONE], AT)[0].as_py())


def test_who_is_needed_by_nothing_is_uncovered(ledger_conn: psycopg.Connection, key: int) -> None:
    assert forgetting.uncovered(ledger_conn, [], AT) == [key]
    assert forgetting.uncovered(ledger_conn, {key}, AT) == []


@pytest.mark.parametrize("need", NEEDS)
def test_p4_nobody_is_forgotten_whom_anything_needs(ledger_conn: psycopg.Connection, key: int, need: str) -> None:
    NEEDS[need](ledger_conn, key)
    assert forgetting.uncovered(ledger_conn, [], AT) == []


def test_data_life_and_holds_end_at_the_very_instant(ledger_conn: psycopg.Connection, key: int) -> None:
    (consent,) = ledger.grant(ledger_conn, [grant(scope(subject_key=key))], AT)
    ledger.consume(ledger_conn, consent, AT + DAY)
    assert forgetting.uncovered(ledger_conn, [], AT + 35 * DAY - SECOND) == []
    assert forgetting.uncovered(ledger_conn, [], AT + 35 * DAY) == [key]
    ledger.withdraw(ledger_conn, consent, AT + 2 * DAY)
    assert forgetting.uncovered(ledger_conn, [], AT + 2 * DAY) == [key]
    NEEDS["a hold"](ledger_conn, key)
    (notice,) = subject_notices.notices(ledger_conn)
    subject_notices.done(ledger_conn, notice.number, "letter", AT + DAY)
    assert forgetting.uncovered(ledger_conn, [], LATER - SECOND) == []
    assert forgetting.uncovered(ledger_conn, [], LATER) == [key]


def test_forgetting_takes_identifiers_keys_and_what_pulls_remember(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, key: int
) -> None:
    (other,) = vault.keys(ledger_conn, secrets, "RRN", [TWO], AT).to_pylist()
    vault.link(ledger_conn, secrets, "passport", "M123A4567", key, AT)
    assert vault.every_identifier(ledger_conn, secrets, [key]) == {ONE, "M123A4567"}
    assert vault.every_identifier(ledger_conn, secrets, [key, other]) == {ONE, "M123A4567", TWO}
    for dataset, keys in (("a/b", [key, other]), ("a/c", [other])):
        coverage = pa.table({"_subject_key": pa.array(keys, pa.int64())})
        call = Call("call", "run", None, "code", 1)
        intent = journal.open_intent(ledger_conn, call, dataset, -1, PullState(dataset, None, 1, coverage))
        journal.close_intent(ledger_conn, intent, "unchanged")
    assert forgetting.forget(ledger_conn, [key]) == 1
    assert vault.every_identifier(ledger_conn, secrets, [key]) == set()
    assert vault.find(ledger_conn, secrets, "RRN", [ONE, TWO]).to_pylist() == [None, other]
    for dataset in ("a/b", "a/c"):
        state = journal.pull_state(ledger_conn, dataset)
        assert state is not None
        assert state.coverage.column("_subject_key").to_pylist() == [other]
    assert ledger_conn.execute("select count(*) from intents where pull_state is not null").fetchone() == (0,)
    assert forgetting.forget(ledger_conn, [key]) == 0


def test_nobody_is_forgotten_while_somebody_else_is_at_work(
    ledger_conn: psycopg.Connection, ledger_dsn_for_test: str
) -> None:
    with psycopg.connect(ledger_dsn_for_test, autocommit=True) as other:
        forgetting.at_work(other)
        with forgetting.alone(ledger_conn) as is_alone:
            assert not is_alone
    for _ in range(2):
        with forgetting.alone(ledger_conn) as is_alone:
            assert is_alone


def test_deaths_and_blocks_are_listed_as_the_gate_reads_them(ledger_conn: psycopg.Connection) -> None:
    block = blocks.block(ledger_conn, 7, 9, "Act 29", AT)
    (row,) = blocks.blocks(ledger_conn).to_pylist()
    assert (row["block_id"], row["victim_key"], row["restricted_key"]) == (block, 7, 9)
    death = deaths.record(ledger_conn, 7, date(2026, 5, 1), "FAMR", AT)
    (row,) = deaths.deaths(ledger_conn).to_pylist()
    assert (row["death_id"], row["subject_key"], row["died_on"]) == (death, 7, date(2026, 5, 1))


def test_a_statute_needs_its_subject_and_no_grantor(ledger_conn: psycopg.Connection, key: int) -> None:
    given = grant(scope(subject_key=key), kind=Kind.STATUTE, grantor_key=None, evidence=None)
    ledger.grant(ledger_conn, [given], AT)
    assert forgetting.uncovered(ledger_conn, [], AT) == []
