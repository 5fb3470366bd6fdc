"""What is written about the work itself: appended, nothing twice, and never more files than are quickly read."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lake import tables
from pipeline import operations
from pipeline.operations import RUNS, record, runs
from pipeline.summary import Summary
from tests.small_lake import SmallLake


def files(lake: SmallLake) -> int:
    table = tables.open_table(lake.run.settings.lake_root, RUNS)
    assert table is not None
    return len(tables.active_files(table))


def test_many_appends_become_one_file_and_no_row_is_lost(own_lake: SmallLake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MOST_FILES", 4)
    run, before = own_lake.run, runs(own_lake.run).num_rows
    at, counted = run.at(), []
    for minute in range(9):
        then = at + timedelta(minutes=minute)
        record(run, [Summary(f"run-{minute}", "erase", None, then, then, "unchanged", 1)])
        counted.append(files(own_lake))
    assert max(counted) == 4
    assert 1 in counted  # all became one
    held = runs(run)
    assert held.num_rows == before + 9
    assert {f"run-{n}" for n in range(9)} <= set(held.column("run_id").to_pylist())


def test_p6_what_is_recorded_twice_stands_once(own_lake: SmallLake) -> None:
    run, at = own_lake.run, own_lake.run.at()
    one = Summary("run-x", "erase", None, at, at, "unchanged", 1)
    record(run, [one])
    held, count = runs(run).num_rows, files(own_lake)
    record(run, [replace(one, verdict="passed")])
    assert (runs(run).num_rows, files(own_lake)) == (held, count)
