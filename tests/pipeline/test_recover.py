"""Killed at any step and run again: before or after, never between (F1, F2, F8, P6)."""

import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from deltalake import write_deltalake

from consent import journal, ledger
from hanbeon.errors import IntegrityError
from lake import layout, tables, verify
from lake.files import sha256
from pipeline.lease import lease
from pipeline.recover import recover
from pipeline.run import Run
from pipeline.settle import settle
from tests.pipeline.committing import (
    OTHER,
    TABLE,
    approve,
    consent,
    held,
    make_run,
    process,
    pull,
    pull_dying,
    pull_for_ever,
    rows,
    wait_alone,
)


@pytest.fixture
def run(ledger_dsn_for_test: str, tmp_path: Path) -> Iterator[Run]:
    """A run over a lake that is empty yet, with an agreement in the ledger and no consent."""
    opened = make_run(ledger_dsn_for_test, tmp_path, "pull-1")
    approve(opened.conn)
    yield opened
    opened.conn.close()


def assert_sound(run: Run) -> None:
    """Commits and leaves one to one, no intent without end, no file without a version, a mirror that is right."""
    root = run.settings.lake_root
    for name in filter(partial(tables.exists, root), (TABLE, OTHER)):
        pinned = journal.leaves(run.conn, name)
        assert [leaf.version for leaf in pinned] == tables.versions(root, name)
        verify.verify_table(root, name, pinned)
        referred = {f.path for leaf in pinned for f in leaf.files}
        present = {p.relative_to(layout.table_path(root, name)).as_posix() for p in files_of(run, name)}
        assert present == referred
    assert journal.open_intents(run.conn) == []
    mirror = layout.pointer_path(root)
    shown = json.loads(mirror.read_text())["tables"] if mirror.exists() else {}
    assert shown == journal.pointer(run.conn)


def files_of(run: Run, name: str) -> list[Path]:
    base = layout.table_path(run.settings.lake_root, name)
    return [p for p in base.rglob("*") if p.is_file() and layout.LOG not in p.parts]


def test_killed_after_every_step_and_run_again_gives_the_tables_of_an_undisturbed_run(
    ledger_dsn_for_test: str, tmp_path: Path
) -> None:
    """F1, P6: the n-th process dies after the n-th step, in a lake of its own, until one outlives them all."""
    opened = make_run(ledger_dsn_for_test, tmp_path / "ledger", "pull-1")
    approve(opened.conn)
    consent(opened.conn, [1, 2, 3])
    deaths = between = 0
    outcome = None
    while outcome != 0:
        forget(opened)
        home = tmp_path / f"home{deaths}"
        with process(pull_dying, ledger_dsn_for_test, home, [1, 2, 3], deaths + 1) as killed:
            killed.join(60)
            outcome = killed.exitcode
        assert outcome in (-9, 0)
        wait_alone(opened.conn)
        run = make_run(ledger_dsn_for_test, home, "pull-1")
        assert recover(run).busy == 0
        assert_sound(run)
        pointer = journal.pointer(run.conn)
        assert pointer in ({}, {TABLE: 1, OTHER: 1})
        between += not pointer and held(run, OTHER) == [1]
        state = journal.pull_state(run.conn, "mois/resident_register")
        assert (state is not None) == (held(run) == [1, 2, 3])
        pull(run, [1, 2, 3])
        assert (held(run), held(run, OTHER)) == ([1, 2, 3], [1])
        assert [leaf.version for leaf in journal.leaves(run.conn, TABLE)] == [0, 1]
        assert journal.pointer(run.conn) == {TABLE: 1, OTHER: 1}
        assert journal.pull_state(run.conn, "mois/resident_register") is not None
        assert_sound(run)
        run.conn.close()
        deaths += 1
    assert deaths > 20
    assert between, "no process died between the two tables"
    opened.conn.close()


def forget(run: Run) -> None:
    """Empty the journal, as for a lake that begins with keys of its own. Only the owner may lift its triggers."""
    with run.conn.transaction():
        run.conn.execute("set local session_replication_role = replica")
        run.conn.execute(
            "truncate leaves, intents, pointers, pull_states, log_entries, log_gaps, owner_secrets, key_versions"
        )


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_moments_nothing_is_lost_or_doubled(run: Run, tmp_path: Path, seed: int) -> None:
    """F1, F40: every consented subject that a pull asked for is there once; versions are without gap.

    Every second death is followed by the next run alone, without recovery: a writer settles what it finds.
    """
    chance = random.Random(seed)
    for attempt in range(8):
        with process(pull_for_ever, run.conn.info.dsn, tmp_path, 1000 * (attempt + 1)) as killed:
            killed.join(0.1 + chance.random() * 0.6)
            killed.kill()
            killed.join()
        wait_alone(run.conn)
        if attempt % 2:
            recover(run)
            assert_sound(run)
    granted = ledger.snapshot(run.conn).authorisations.column("_subject_key").to_pylist()
    pull(run, granted)
    assert held(run) == sorted(granted)
    versions = [leaf.version for leaf in journal.leaves(run.conn, TABLE)]
    assert versions == list(range(len(versions)))
    assert_sound(run)


def between_commit_and_leaf(run: Run, tmp_path: Path) -> None:
    """A commit that is in the table, but whose writer died before the leaf."""
    with process(pull_dying, run.conn.info.dsn, tmp_path, [1, 2, 3], 2, "write") as killed:
        killed.join(60)
        assert killed.exitcode == -9
    wait_alone(run.conn)
    assert tables.version(run.settings.lake_root, TABLE) == 1
    assert [leaf.version for leaf in journal.leaves(run.conn, TABLE)] == [0]


def newest_data_file(run: Run) -> Path:
    root = run.settings.lake_root
    return layout.table_path(root, TABLE) / str(tables.added(root, TABLE, 1)[0]["path"])


def newest_commit(run: Run) -> Path:
    return tables.commit_path(run.settings.lake_root, TABLE, 1)


def test_a_commit_without_leaf_is_finished_with_its_pull_state(run: Run, tmp_path: Path) -> None:
    """F1: the transaction is in the table, so it counts."""
    consent(run.conn, [1, 2, 3])
    between_commit_and_leaf(run, tmp_path)
    assert journal.pull_state(run.conn, "mois/resident_register") is None
    assert recover(run).finished == 1
    assert journal.pull_state(run.conn, "mois/resident_register") is not None
    assert journal.pointer(run.conn) == {TABLE: 1, OTHER: 1}
    assert_sound(run)
    assert recover(run).finished == 0


def test_a_rerun_without_recovery_removes_what_the_dead_writer_left(run: Run, tmp_path: Path) -> None:
    """F1: files of a commit that never came about."""
    consent(run.conn, [1, 2, 3])
    between_commit_and_leaf(run, tmp_path)
    newest_commit(run).unlink()
    assert len(files_of(run, TABLE)) == 2
    pull(run, [1, 2, 3])
    assert held(run) == [1, 2, 3]
    assert_sound(run)


@pytest.mark.parametrize("torn", [newest_commit, newest_data_file], ids=["commit file", "data file"])
@pytest.mark.parametrize("left", [0, 10], ids=["emptied", "cut off"])
def test_a_commit_that_a_power_loss_tore_before_its_leaf_is_as_if_never_begun(
    run: Run, tmp_path: Path, torn: Callable[[Run], Path], left: int
) -> None:
    """F2."""
    consent(run.conn, [1, 2, 3])
    between_commit_and_leaf(run, tmp_path)
    path = torn(run)
    path.write_bytes(path.read_bytes()[:left])
    assert recover(run).finished == 0
    assert held(run) == []
    assert journal.pull_state(run.conn, "mois/resident_register") is None
    assert_sound(run)
    pull(run, [1, 2, 3])
    assert held(run) == [1, 2, 3]
    assert_sound(run)


def emptied_newest_commit(run: Run) -> int:
    newest_commit(run).write_bytes(b"")
    return 1


def edited_newest_commit(run: Run) -> int:
    path = newest_commit(run)
    path.write_bytes(path.read_bytes().replace(b'"numRecords\\":', b'"numRecords\\": '))
    return 1


def removed_newest_commit(run: Run) -> int:
    newest_commit(run).unlink()
    return 1


def emptied_old_commit(run: Run) -> int:
    tables.commit_path(run.settings.lake_root, TABLE, 0).write_bytes(b"")
    return 0


def edited_data_file(run: Run) -> int:
    path = newest_data_file(run)
    content = bytearray(path.read_bytes())
    content[8] ^= 1
    path.write_bytes(bytes(content))
    return 1


def removed_data_file(run: Run) -> int:
    newest_data_file(run).unlink()
    return 1


def foreign_commit(run: Run) -> int:
    write_deltalake(str(layout.table_path(run.settings.lake_root, TABLE)), rows([66]), mode="append")
    return 2


@pytest.mark.parametrize(
    "damage",
    [
        emptied_newest_commit,
        edited_newest_commit,
        removed_newest_commit,
        emptied_old_commit,
        edited_data_file,
        removed_data_file,
        foreign_commit,
    ],
)
def test_damage_is_named_with_table_and_version(run: Run, damage: Callable[[Run], int]) -> None:
    """F8."""
    consent(run.conn, [1])
    pull(run, [1])
    recover(run)
    version = damage(run)
    with pytest.raises(IntegrityError, match=rf"{TABLE}\b.*version {version}\b"):
        recover(run)
    assert journal.pointer(run.conn)[TABLE] == 1


def test_a_damaged_newest_commit_stops_the_next_write(run: Run) -> None:
    """F8: nobody builds on it."""
    consent(run.conn, [1, 2])
    pull(run, [1])
    emptied_newest_commit(run)
    with pytest.raises(IntegrityError, match="empty"):
        pull(run, [1, 2])


def test_files_that_no_version_refers_to_are_swept(run: Run) -> None:
    consent(run.conn, [1])
    pull(run, [1])
    base = layout.table_path(run.settings.lake_root, TABLE)
    left = [
        base / "_key_bucket=1" / "part-00000-dead.snappy.parquet",
        base / "_key_bucket=1" / "part-00001-dead.snappy.parquet#1",
        base / "_delta_log" / "_commit_dead.json.tmp",
    ]
    for path in left:
        path.write_bytes(b"left by a killed writer")
    digest = sha256(newest_commit(run))
    assert recover(run).orphans == 3
    assert not any(path.exists() for path in left)
    assert sha256(newest_commit(run)) == digest
    assert_sound(run)


def test_a_table_that_somebody_writes_is_passed_over(run: Run, tmp_path: Path) -> None:
    consent(run.conn, [1])
    pull(run, [1])
    other = make_run(run.conn.info.dsn, tmp_path, "pull-2")
    with lease(other, TABLE):
        intent = journal.open_intent(
            other.conn, journal.Call("call", "pull-2", None, "code", ledger.position(other.conn)), TABLE, 1, None
        )
        report = recover(run)
        assert (report.busy, [i.intent_id for i in journal.open_intents(run.conn)]) == (1, [intent])
    assert recover(run).busy == 0
    assert journal.open_intents(run.conn) == []
    other.conn.close()


def test_settling_a_sound_table_changes_nothing(run: Run) -> None:
    consent(run.conn, [1])
    pull(run, [1])
    with lease(run, TABLE):
        assert settle(run, TABLE) == []


def test_leaves_and_pointers_cannot_be_edited(run: Run) -> None:
    consent(run.conn, [1])
    pull(run, [1])
    for table in ("leaves", "pointers"):
        for statement in (f"update {table} set version = 0", f"delete from {table}", f"truncate {table}"):
            with pytest.raises(Exception, match="append-only"):
                run.conn.execute(statement)
