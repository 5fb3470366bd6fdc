"""What writers are about to do, what they did, what readers see: the journal by itself, without a lake (F1, F4)."""

from dataclasses import replace
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from consent import journal
from consent.journal import Call, File, Intent, Leaf, PullState
from hanbeon.errors import IntegrityError

CALL = Call("call-1", "run-1", "publish", "code", 5, "ab" * 32)
COVERAGE = pa.table({"_subject_key": pa.array([7, 8], pa.int64()), "variant": ["general", None]})
STATE = PullState("scourt/family", "2026-06-01", 5, COVERAGE)
FILES = (File("part-1.parquet", "cd" * 32, 3), File("part-2.parquet", "ef" * 32, 0))


@pytest.fixture
def conn(ledger_conn: psycopg.Connection) -> psycopg.Connection:
    journal.migrate(ledger_conn)  # again changes nothing
    return ledger_conn


def opened(conn: psycopg.Connection, table: str = "gold/x", call: Call = CALL, also: PullState | None = None) -> int:
    return journal.open_intent(conn, call, table, 3, also)


def written(conn: psycopg.Connection, intent_id: int, table: str = "gold/x", version: int = 4, **more: Any) -> Leaf:
    leaf = Leaf(
        table, version, intent_id, "run-1", "aa" * 32, FILES, "digest", 5, journal.next_sequence(conn), '{"a":1}'
    )
    journal.record_leaf(conn, replace(leaf, **more))
    return leaf


def test_an_intent_is_kept_as_it_was_opened_then_planned(conn: psycopg.Connection) -> None:
    key = journal.open_intent(conn, CALL, "gold/x", -1, None, delivery=9)
    expected = Intent(key, "run-1", "gold/x", -1, None, None, 5, "code", "ab" * 32, 9)
    assert journal.intent(conn, key) == expected
    journal.plan_intent(conn, key, 0, 77, "digest", 6)
    planned = replace(expected, planned_version=0, authorisation_digest="digest", ledger_position=6)
    assert journal.open_intents(conn) == journal.open_intents(conn, "gold/x") == [planned]
    assert journal.open_intents(conn, "gold/y") == []
    with pytest.raises(IntegrityError, match="missing from the journal"):
        journal.intent(conn, key + 1)


def test_open_intents_come_in_order_and_a_closed_one_is_open_no_longer(conn: psycopg.Connection) -> None:
    first, second = opened(conn), opened(conn, "gold/y")
    assert [i.intent_id for i in journal.open_intents(conn)] == [first, second]
    journal.close_intent(conn, first, "swept")
    assert [i.intent_id for i in journal.open_intents(conn)] == [second]


def test_a_leaf_is_kept_whole_and_ends_its_intent(conn: psycopg.Connection) -> None:
    intent_id = opened(conn)
    leaf = written(conn, intent_id)
    assert journal.leaves(conn, "gold/x") == [leaf]
    assert journal.newest_leaf(conn, "gold/x") == leaf
    assert journal.open_intents(conn) == []
    newer = written(conn, opened(conn, call=replace(CALL, run_id="run-2")), version=5)
    assert [one.version for one in journal.leaves(conn, "gold/x")] == [4, 5]
    assert journal.newest_leaf(conn, "gold/x") == newer
    assert newer.sequence > leaf.sequence
    assert journal.leaves(conn, "gold/y") == []
    assert journal.newest_leaf(conn, "gold/y") is None
    written(conn, opened(conn, "bronze/a"), "bronze/a")
    assert journal.tables_with_leaves(conn) == ["bronze/a", "gold/x"]


def test_f4_a_step_knows_what_it_has_already_written(conn: psycopg.Connection) -> None:
    intent_id = opened(conn)
    assert journal.leaf_of_step(conn, "run-1", "publish", "gold/x") is None
    leaf = written(conn, intent_id)
    assert journal.leaf_of_step(conn, "run-1", "publish", "gold/x") == leaf
    for run, step, table in (("run-2", "publish", "gold/x"), ("run-1", "x", "gold/x"), ("run-1", "publish", "gold/y")):
        assert journal.leaf_of_step(conn, run, step, table) is None


def test_how_far_a_pull_came_is_packed_with_its_watermark_and_coverage(conn: psycopg.Connection) -> None:
    for state in (STATE, replace(STATE, watermark=None, coverage=COVERAGE.slice(0, 0))):
        found = journal.unpack(journal.pack(state))
        assert found == state
        assert found.coverage.schema.metadata is None


@pytest.mark.parametrize(("ending", "is_kept"), [("leaf", True), ("unchanged", True), ("swept", False)])
def test_a_pull_s_state_counts_once_its_intent_ended_well(conn: psycopg.Connection, ending: str, is_kept: bool) -> None:
    intent_id = opened(conn, also=STATE)
    assert journal.pull_state(conn, STATE.dataset) is None
    if ending == "leaf":
        written(conn, intent_id)
    else:
        journal.close_intent(conn, intent_id, ending)
    assert journal.pull_state(conn, STATE.dataset) == (STATE if is_kept else None)
    assert journal.pull_state(conn, "nts/income") is None


def test_a_pull_that_began_earlier_and_ended_later_sets_nothing_back(conn: psycopg.Connection) -> None:
    older, same = replace(STATE, ledger_position=4, watermark="old"), replace(STATE, watermark="new")
    for state, expected in ((STATE, STATE), (older, STATE), (same, same)):
        journal.close_intent(conn, opened(conn, also=state), "unchanged")
        assert journal.pull_state(conn, STATE.dataset) == expected


def test_an_intent_that_was_closed_stays_as_it_was(conn: psycopg.Connection) -> None:
    intent_id = opened(conn, also=STATE)
    journal.close_intent(conn, intent_id, "swept")
    journal.close_intent(conn, intent_id, "unchanged")
    assert journal.pull_state(conn, STATE.dataset) is None


def test_a_version_is_shown_once_its_whole_call_came_to_its_end(conn: psycopg.Connection) -> None:
    first, second = opened(conn), opened(conn, "gold/y")
    written(conn, first)
    assert journal.showable(conn) == {}
    written(conn, second, "gold/y", 1)
    assert journal.showable(conn) == {"gold/x": 4, "gold/y": 1}
    other = replace(CALL, call_id="call-2", step=None)
    third, fourth = opened(conn, call=other), opened(conn, "gold/y", other)
    written(conn, third, version=5)
    journal.close_intent(conn, fourth, "swept")
    assert journal.showable(conn) == {"gold/x": 4, "gold/y": 1}, "a part of it died"
    fifth, sixth = (opened(conn, table, replace(CALL, call_id="call-3", step=None)) for table in ("gold/x", "gold/y"))
    written(conn, fifth, version=6)
    journal.close_intent(conn, sixth, "unchanged")
    assert journal.showable(conn) == {"gold/x": 6, "gold/y": 1}


def test_the_pointer_moves_forward_for_all_tables_together(conn: psycopg.Connection) -> None:
    assert (journal.pointer(conn), journal.mirrored(conn)) == ({}, {"generation": 0, "moved_at": None, "tables": {}})
    assert journal.move_pointer(conn, {"gold/x": 4, "gold/y": 0}) == 1
    assert journal.move_pointer(conn, {"gold/x": 3}) == 1, "never back"
    assert journal.move_pointer(conn, {"gold/x": 5, "gold/z": 0}) == 2
    assert journal.pointer(conn) == {"gold/x": 5, "gold/y": 0, "gold/z": 0}
    told = journal.mirrored(conn)
    assert (told["generation"], told["tables"]) == (2, journal.pointer(conn))
    (moved_at,) = conn.execute("select max(moved_at) from pointers").fetchone() or (None,)
    assert told["moved_at"] == moved_at.isoformat()
