"""Access records are erased themselves when their legal term is over (P9)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from consent import accesses
from consent.accesses import ACCESSES_SCHEMA, Access, Action
from lake import erase as lake_erase
from lake import tables
from pipeline.attest import need_no_contradiction
from pipeline.erase import erase
from pipeline.expiring import expire_accesses
from pipeline.ledger_copy import ACCESSES, copy_ledger
from pipeline.run import Run
from tests.small_lake import SmallLake

TERM = timedelta(days=730)
READER = "공주시청 김주무관"


def read_at(run: Run, at: datetime) -> str:
    return accesses.record(run.conn, Access(READER, Action.SQL, "select 1", is_granted=True), at)


def copied(run: Run) -> dict[str, dict[str, Any]]:
    rows = tables.read(run.settings.lake_root, ACCESSES, schema=ACCESSES_SCHEMA).to_pylist()
    return {row["access_id"]: row for row in rows}


def test_p9_a_record_whose_term_is_over_keeps_its_number_instant_and_leaf_hash_everywhere(own_lake: SmallLake) -> None:
    run, now = own_lake.run, own_lake.run.at()
    old, young = read_at(run, now - TERM), read_at(run, now - TERM + timedelta(hours=1))
    copy_ledger(run)
    before = copied(run)
    assert before[old]["reader"] == READER
    assert erase(run).counts["access_records_erased"] == 1
    after = copied(run)
    assert {n for n, v in after[old].items() if v is not None} == {"access_id", "recorded_at", "leaf_hash"}
    assert after[old]["leaf_hash"] == before[old]["leaf_hash"]
    assert after[young] == before[young]
    in_database = {r["access_id"]: r for r in accesses.listing(run.conn).to_pylist()}
    assert in_database[old] == after[old]
    need_no_contradiction(run)


def test_p9_no_old_file_keeps_what_was_erased(own_lake: SmallLake) -> None:
    run = own_lake.run
    read_at(run, run.at() - TERM - timedelta(days=1))
    copy_ledger(run)
    assert lake_erase.scan(run.settings.lake_root, [READER])
    assert expire_accesses(run) == 1
    assert lake_erase.scan(run.settings.lake_root, [READER]) == []


def test_f1_killed_between_database_and_copy_the_copy_follows(own_lake: SmallLake) -> None:
    run = own_lake.run
    number = read_at(run, run.at() - TERM - timedelta(days=1))
    copy_ledger(run)
    accesses.erase(run.conn, [int(number)])
    assert copied(run)[number]["reader"] == READER
    assert expire_accesses(run) == 0
    assert copied(run)[number]["reader"] is None


def test_a_record_is_erased_at_the_instant_at_which_its_term_ends_and_once(own_lake: SmallLake) -> None:
    run = own_lake.run
    made = run.at()
    read_at(run, made)
    second = timedelta(seconds=1)
    assert expire_accesses(replace(run, at=lambda: made + TERM - second)) == 0
    assert expire_accesses(replace(run, at=lambda: made + TERM)) == 1
    assert expire_accesses(replace(run, at=lambda: made + TERM + second)) == 0
