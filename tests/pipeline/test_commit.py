"""The write protocol (docs/pipeline.md): what a commit leaves behind, and what it refuses."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from consent import journal, ledger
from hanbeon.errors import ContractError, DependencyDown, IntegrityError, UsageError
from lake import layout, tables, verify
from pipeline import commit as commit_module
from pipeline.commit import Change, Current, Plan, commit, purge_tables
from pipeline.recover import recover
from pipeline.run import Run
from tests.pipeline.committing import (
    AT,
    COVERAGE,
    OTHER,
    SCHEMA,
    TABLE,
    append_once,
    approve,
    consent,
    held,
    make_run,
    merged,
    plan,
    process,
    pull,
    pull_one,
    pull_state,
    rows,
)


@pytest.fixture
def run(ledger_dsn_for_test: str, tmp_path: Path) -> Iterator[Run]:
    """A run over a lake that is empty yet, with an agreement in the ledger and no consent."""
    opened = make_run(ledger_dsn_for_test, tmp_path, "run-1")
    approve(opened.conn)
    yield opened
    opened.conn.close()


def second(run: Run) -> psycopg.Connection:
    """Somebody else at the ledger."""
    return psycopg.connect(run.conn.info.dsn, autocommit=True)


def appending(data: pa.Table) -> Plan:
    return Plan(TABLE, SCHEMA, lambda _: Change(data, None, is_append=True), partitioned=True)


def leaves_match(run: Run, table: str = TABLE) -> None:
    pinned = journal.leaves(run.conn, table)
    assert [leaf.version for leaf in pinned] == tables.versions(run.settings.lake_root, table)
    verify.verify_table(run.settings.lake_root, table, pinned)


def files_below(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_each_version_has_a_leaf_with_the_hashes_of_its_files_and_the_pointer_shows_the_newest(run: Run) -> None:
    consent(run.conn, [1, 2])
    pull(run, [1, 2])
    base = layout.table_path(run.settings.lake_root, TABLE)
    for leaf in journal.leaves(run.conn, TABLE):
        log = (base / "_delta_log" / f"{leaf.version:020d}.json").read_bytes()
        assert hashlib.sha256(log).hexdigest() == leaf.commit_sha256
        added = [json.loads(line)["add"]["path"] for line in log.splitlines() if b'"add"' in line]
        assert sorted(added) == sorted(f.path for f in leaf.files)
        assert [hashlib.sha256((base / f.path).read_bytes()).hexdigest() for f in leaf.files] == [
            f.sha256 for f in leaf.files
        ]
    rows_of = {leaf.version: sum(f.rows for f in leaf.files) for leaf in journal.leaves(run.conn, TABLE)}
    assert rows_of == {0: 0, 1: 2}
    assert journal.pointer(run.conn) == {TABLE: 1, OTHER: 1}
    mirror = json.loads(layout.pointer_path(run.settings.lake_root).read_text())
    assert mirror["tables"] == {TABLE: 1, OTHER: 1}
    assert held(run) == [1, 2]


def test_a_commit_says_who_wrote_it_and_at_which_ledger_position_and_holds_no_value_of_a_row(run: Run) -> None:
    consent(run.conn, [1])
    position = ledger.position(run.conn)
    commit(run, [plan([1])], {"contract": "RRT", "watermark": "w1"})
    info = tables.commit_info(run.settings.lake_root, TABLE, 1)
    assert (info["run_id"], info["ledger_position"], info["watermark"]) == ("run-1", str(position), "w1")
    assert info["authorisation_digest"] == journal.leaves(run.conn, TABLE)[1].authorisation_digest != ""
    log = b"".join(p.read_bytes() for p in layout.log_path(run.settings.lake_root, TABLE).iterdir())
    assert "홍길동".encode() not in log
    assert b'\\"e1\\"' not in log


def test_what_is_the_same_is_no_commit_but_its_pull_state_counts(run: Run) -> None:
    """P6."""
    consent(run.conn, [1])
    commit(run, [plan([1], also=pull_state(1, "w1"))], {})
    assert commit(run, [plan([1], also=pull_state(2, "w2"))], {}) == []
    assert tables.version(run.settings.lake_root, TABLE) == 1
    state = journal.pull_state(run.conn, "mois/resident_register")
    assert state is not None
    assert (state.watermark, state.ledger_position, state.coverage.schema) == ("w2", 2, COVERAGE)


def test_a_pull_that_began_earlier_and_ended_later_sets_no_watermark_back(run: Run) -> None:
    consent(run.conn, [1])
    commit(run, [plan([1], also=pull_state(9, "later"))], {})
    commit(run, [plan([1], also=pull_state(3, "earlier"))], {})
    state = journal.pull_state(run.conn, "mois/resident_register")
    assert state is not None
    assert state.watermark == "later"


def test_replacing_one_bucket_leaves_the_files_of_the_others(run: Run) -> None:
    consent(run.conn, [1, 2])
    commit(run, [plan([1, 2])], {})
    before = tables.active_files(DeltaTable(str(layout.table_path(run.settings.lake_root, TABLE))))
    emptied = Plan(TABLE, SCHEMA, lambda _: Change(SCHEMA.empty_table(), (1,)), partitioned=True)
    leaves = commit(run, [emptied], {})
    after = tables.active_files(DeltaTable(str(layout.table_path(run.settings.lake_root, TABLE))))
    assert held(run) == [2]
    assert leaves[0].files == ()
    assert [a["path"] for a in after] == [a["path"] for a in before if "_key_bucket=0" in a["path"]]


@pytest.mark.parametrize(
    ("flaw", "error"),
    [
        (Change(rows([1, 2]), (0,)), UsageError),  # subject 1 lives in bucket 1
        (Change(rows([2]), ()), UsageError),
        (Change(rows([2]), (0,), is_append=True), UsageError),
        (Change(rows([2]).drop_columns(["HSHLDR_NM"]), (0,)), UsageError),
        (Change(rows([2]).append_column("EXTRA", pa.array(["x"])), (0,)), UsageError),
    ],
    ids=["row of another bucket", "no bucket", "append with buckets", "missing column", "extra column"],
)
def test_a_change_that_would_damage_the_table_is_refused(run: Run, flaw: Change, error: type[Exception]) -> None:
    with pytest.raises(error) as refused:
        commit(run, [Plan(TABLE, SCHEMA, lambda _: flaw, partitioned=True)], {})
    assert "홍길동" not in str(refused.value)
    assert held(run) == []


def test_a_new_column_of_the_contract_is_added_and_a_lost_one_stops_the_table(run: Run) -> None:
    consent(run.conn, [1])
    commit(run, [plan([1])], {})
    wider = SCHEMA.append(pa.field("STDG_CD", pa.string()))
    data = rows([1]).append_column("STDG_CD", pa.array(["1111010100"]))
    commit(run, [Plan(TABLE, wider, lambda _: Change(data, (1,)), partitioned=True)], {})
    assert tables.read(run.settings.lake_root, TABLE, schema=wider).column("STDG_CD").to_pylist() == ["1111010100"]
    with pytest.raises(ContractError, match="STDG_CD"):
        commit(run, [Plan(TABLE, SCHEMA, lambda _: Change(rows([1]), (1,)), partitioned=True)], {})


def test_a_withdrawal_between_computing_and_committing_is_computed_again(run: Run) -> None:
    """F40."""
    ids = consent(run.conn, [1, 2])
    asked: list[int] = []

    def compute(current: Current) -> Change | None:
        change = merged(current, [1, 2])
        asked.append(current.allowed.num_rows)
        if len(asked) == 1:
            with second(run) as somebody:
                ledger.withdraw(somebody, ids[0], AT)
        return change

    leaves = commit(run, [Plan(TABLE, SCHEMA, compute, partitioned=True)], {})
    assert asked == [2, 1]
    assert held(run) == [2]
    assert leaves[0].ledger_position == ledger.position(run.conn)


def test_an_authorisation_that_ends_while_computing_is_computed_again(run: Run) -> None:
    """F7, F41: the ledger did not move, the clock did."""
    consent(run.conn, [1], valid_until=AT + timedelta(seconds=1))
    consent(run.conn, [2])
    clock = [AT]
    ticking = replace(run, at=lambda: clock[0])

    def compute(current: Current) -> Change | None:
        change = merged(current, [1, 2])
        clock[0] = AT + timedelta(seconds=1)
        return change

    commit(ticking, [Plan(TABLE, SCHEMA, compute, partitioned=True)], {})
    assert held(run) == [2]


def test_a_ledger_that_only_lets_more_through_is_not_waited_for_for_ever(run: Run) -> None:
    consent(run.conn, [1])
    asked: list[int] = []

    def compute(current: Current) -> Change | None:
        change = merged(current, [1])
        with second(run) as somebody:
            consent(somebody, [100 + len(asked)])
        asked.append(1)
        return change

    commit(run, [Plan(TABLE, SCHEMA, compute, partitioned=True)], {})
    assert len(asked) == commit_module.PATIENT_ATTEMPTS + 1
    assert held(run) == [1]


def test_a_ledger_that_takes_away_each_time_ends_with_a_sentence_and_nothing_written(run: Run) -> None:
    """F5: retries are bounded."""
    ids = consent(run.conn, range(1, 20))

    def compute(current: Current) -> Change | None:
        change = merged(current, range(1, 20))
        with second(run) as somebody:
            ledger.withdraw(somebody, ids.pop(), AT)
        return change

    with pytest.raises(DependencyDown, match="moved"):
        commit(run, [Plan(TABLE, SCHEMA, compute, partitioned=True)], {})
    assert held(run) == []
    assert tables.version(run.settings.lake_root, TABLE) == 0


def test_a_plan_that_does_not_ask_the_gate_does_not_care_for_the_ledger(run: Run) -> None:
    asked: list[int] = []

    def compute(current: Current) -> Change | None:
        asked.append(current.version)
        with second(run) as somebody:
            consent(somebody, [len(asked)])
        return Change(rows([7]), None, is_append=True)

    leaves = commit(run, [Plan(TABLE, SCHEMA, compute, partitioned=True)], {})
    assert asked == [0]
    assert leaves[0].authorisation_digest == ""


def test_the_same_step_of_a_run_started_three_times_at_once_gives_one_leaf(run: Run, tmp_path: Path) -> None:
    """F4."""
    dsn = run.conn.info.dsn
    with ExitStack() as stack:
        started = [stack.enter_context(process(append_once, dsn, tmp_path, 1)) for _ in range(3)]
        for each in started:
            each.join(60)
        assert [each.exitcode for each in started] == [0, 0, 0]
    assert held(run) == [1]
    assert [leaf.version for leaf in journal.leaves(run.conn, TABLE)] == [0, 1]


def test_four_writers_at_once_lose_no_update(run: Run, tmp_path: Path) -> None:
    """F5: the result is a serial one."""
    consent(run.conn, [1, 2, 3, 4])
    dsn = run.conn.info.dsn
    with ExitStack() as stack:
        started = [stack.enter_context(process(pull_one, dsn, tmp_path, key)) for key in (1, 2, 3, 4)]
        for each in started:
            each.join(60)
        assert [each.exitcode for each in started] == [0, 0, 0, 0]
    assert held(run) == [1, 2, 3, 4]
    assert [leaf.version for leaf in journal.leaves(run.conn, TABLE)] == [0, 1, 2, 3, 4]
    leaves_match(run)


def test_a_commit_past_the_protocol_closes_the_table(run: Run) -> None:
    """F8: it has no leaf, and nobody builds on it."""
    consent(run.conn, [1])
    commit(run, [plan([1])], {})

    def compute(current: Current) -> Change | None:
        write_deltalake(str(layout.table_path(run.settings.lake_root, TABLE)), rows([66]), mode="append")
        return Change(rows([3]), None, is_append=True)

    for attempt in (compute, lambda _: None):
        with pytest.raises(IntegrityError, match=TABLE):
            commit(run, [Plan(TABLE, SCHEMA, attempt, partitioned=True)], {})
    assert journal.pointer(run.conn)[TABLE] == 1


def test_a_plan_that_fails_publishes_nothing_of_its_commit(run: Run) -> None:
    """F3: the first table is written, the pointer does not show it; the rerun shows both."""
    consent(run.conn, [1])
    commit(run, [plan([], OTHER), plan([])], {})

    def failing(current: Current) -> Change | None:
        raise UsageError("This plan fails.")

    with pytest.raises(UsageError):
        commit(run, [plan([1], OTHER), Plan(TABLE, SCHEMA, failing, partitioned=True)], {})
    assert held(run, OTHER) == [1]
    assert journal.pointer(run.conn) == {OTHER: 0, TABLE: 0}
    recover(run)
    assert journal.pointer(run.conn) == {OTHER: 0, TABLE: 0}
    commit(run, [plan([1], OTHER), plan([1])], {})
    assert journal.pointer(run.conn) == {OTHER: 1, TABLE: 1}


def write_much(dsn: str, home: Path, bytes_at_most: int) -> None:
    """Entry of a process whose files may not grow: a real error of the n-th write."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    run = make_run(dsn, home, "run-2")
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_at_most, bytes_at_most))
    many = rows([2, *range(11, 80_001, 2)])  # a small file that succeeds, and one that does not
    with pytest.raises(DependencyDown):
        commit(run, [appending(many)], {})


@pytest.mark.parametrize("bytes_at_most", [100, 20_000])
def test_a_write_error_leaves_the_table_as_it_was_and_no_file_behind(
    run: Run, tmp_path: Path, bytes_at_most: int
) -> None:
    """F3."""
    consent(run.conn, [1])
    commit(run, [plan([1])], {})
    base = layout.table_path(run.settings.lake_root, TABLE)
    before = files_below(base)
    with process(write_much, run.conn.info.dsn, tmp_path, bytes_at_most) as writer:
        writer.join(60)
        assert writer.exitcode == 0
    assert files_below(base) == before
    assert held(run) == [1]
    commit(run, [appending(rows([5]))], {})
    assert held(run) == [1, 5]
    leaves_match(run)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs takes root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_leaves_the_table_as_it_was_and_no_file_behind(run: Run, small_disk: Path) -> None:
    """F3."""
    on_disk = replace(run, settings=replace(run.settings, lake=replace(run.settings.lake, root=str(small_disk))))
    commit(on_disk, [appending(rows([1]))], {})
    base = layout.table_path(small_disk, TABLE)
    before = files_below(base)
    many = rows([int.from_bytes(os.urandom(7)) for _ in range(100_000)])
    with pytest.raises(DependencyDown, match="nothing was published"):
        commit(on_disk, [appending(many)], {})
    assert files_below(base) == before
    assert held(on_disk) == [1]
    commit(on_disk, [appending(rows([5]))], {})
    assert held(on_disk) == [1, 5]
    leaves_match(on_disk)


def test_a_ledger_database_that_goes_away_is_one_sentence_and_a_rerun_mends_it(run: Run, tmp_path: Path) -> None:
    """F3: no half-published table, no ledger entry lost."""
    consent(run.conn, [1])
    dsn, pid = run.conn.info.dsn, run.conn.info.backend_pid

    def compute(current: Current) -> Change | None:
        with second(run) as somebody:
            somebody.execute("select pg_terminate_backend(%s)", [pid])
        return Change(rows([1]), None, is_append=True)

    with pytest.raises(DependencyDown, match="database"):
        commit(run, [Plan(TABLE, SCHEMA, compute, partitioned=True)], {})
    again = make_run(dsn, tmp_path, "run-1")
    commit(again, [plan([1])], {})
    assert held(again) == [1]
    leaves_match(again)
    again.conn.close()


def test_files_commit_and_folders_are_synced_before_the_leaf(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """F2: what a leaf pins is on disk."""
    happened: list[str] = []
    fsync, record_leaf = os.fsync, journal.record_leaf

    def noting_sync(descriptor: int) -> None:
        happened.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    def noting_leaf(conn: psycopg.Connection, leaf: journal.Leaf) -> None:
        happened.append(f"leaf {leaf.version}")
        record_leaf(conn, leaf)

    monkeypatch.setattr(os, "fsync", noting_sync)
    monkeypatch.setattr(journal, "record_leaf", noting_leaf)
    commit(run, [appending(rows([1, 2]))], {})
    root = run.settings.lake_root
    base = layout.table_path(root, TABLE)
    synced = set(happened[happened.index("leaf 0") : happened.index("leaf 1")])
    expected = {base / str(a["path"]) for a in tables.added(root, TABLE, 1)}
    expected |= {p.parent for p in expected} | {tables.commit_path(root, TABLE, 1), base / "_delta_log", base, root}
    assert {str(p) for p in expected} <= synced
    assert happened[-1] == str(layout.pointer_path(root).parent)


def test_a_reader_beside_commits_and_purges_sees_whole_versions_only(run: Run) -> None:
    """F6."""
    commit(run, [appending(rows([0]))], {})
    seen: list[list[int]] = []
    failed: list[Exception] = []
    is_over = threading.Event()

    def read_on() -> None:
        while not is_over.is_set():
            try:
                seen.append(held(run))
            except Exception as error:
                failed.append(error)

    reader = threading.Thread(target=read_on)
    reader.start()
    for turn in range(1, 12):
        change = Change(rows([turn, turn + 100]), None)
        commit(run, [Plan(TABLE, SCHEMA, partial(_always, change), partitioned=True)], {})
        purge_tables(run, [TABLE])
    is_over.set()
    reader.join()
    assert failed == []
    assert len(seen) > 11
    assert all(keys == [0] or keys == [keys[0], keys[0] + 100] for keys in seen)


def _always(change: Change, current: Current) -> Change:
    return change


def test_purging_takes_the_files_of_old_versions_and_keeps_every_leaf(run: Run) -> None:
    """P4, F6: a reader of the old version gets a clean error, one of the newest notices nothing."""
    ids = consent(run.conn, [1, 3])
    commit(run, [plan([1, 3])], {})
    ledger.withdraw(run.conn, ids[0], AT)
    commit(run, [plan([])], {})
    root = run.settings.lake_root
    stray = layout.table_path(root, TABLE) / "_key_bucket=1" / "part-00000-dead.snappy.parquet#1"
    stray.write_bytes(b"left by a killed writer")
    assert purge_tables(run, [TABLE, OTHER]) == [TABLE]
    assert not stray.exists()
    assert held(run) == [3]
    assert len(list(layout.table_path(root, TABLE).rglob("*.parquet"))) == 1
    with pytest.raises(IntegrityError, match="missing"):
        tables.read(root, TABLE, schema=SCHEMA, version=1)
    assert purge_tables(run, [TABLE]) == []
    leaves_match(run)


def test_a_purge_leaves_no_reader_of_the_pointer_behind(run: Run) -> None:
    """F6: a version that a failed commit left unseen is shown before the files of the one before go."""
    consent(run.conn, [1, 3])
    commit(run, [plan([1])], {})

    def failing(current: Current) -> Change | None:
        raise UsageError("This plan fails.")

    with pytest.raises(UsageError):
        commit(run, [plan([1, 3]), Plan(OTHER, SCHEMA, failing, partitioned=True)], {})
    purge_tables(run, [TABLE])
    shown = journal.pointer(run.conn)[TABLE]
    assert tables.read(run.settings.lake_root, TABLE, schema=SCHEMA, version=shown).num_rows == 2


def test_a_commit_names_each_table_once_and_keeps_its_own_metadata(run: Run) -> None:
    with pytest.raises(UsageError):
        commit(run, [plan([1]), plan([2])], {})
    with pytest.raises(UsageError):
        commit(run, [plan([1])], {"ledger_position": "7"})
