"""Step 6: what is shown, and what a command did, is under a checkpoint that operator and witness signed (F1, F10)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consent import accesses, journal, ledger
from consent.accesses import Access, Action
from consent.log import Kind, index_of, newest, note, prove
from consent.merkle import leaf_hash, root_of_path
from hanbeon.commands import common
from hanbeon.errors import DependencyDown, IntegrityError
from lake import tables
from pipeline import verbs
from pipeline.attest import attest, operator_vkey, witness
from pipeline.ledger_copy import ACCESSES, copy_ledger
from pipeline.recover import recover
from pipeline.run import Run
from tests.consent.log.test_check import tamper
from tests.pipeline.committing import AT, approve, consent, make_run, pull
from tests.small_lake import SmallLake


@pytest.fixture
def run(ledger_dsn_for_test: str, tmp_path: Path) -> Iterator[Run]:
    opened = make_run(ledger_dsn_for_test, tmp_path, "pull-1")
    approve(opened.conn)
    consent(opened.conn, [1, 2])
    yield opened
    opened.conn.close()


def test_what_a_commit_shows_is_under_a_checkpoint_that_both_signed(run: Run) -> None:
    pull(run, [1, 2])
    checkpoint = newest(run.settings.log_path)
    assert checkpoint is not None
    for key in (operator_vkey(run.settings), witness(run.settings).vkey):
        assert note.is_signed_by(checkpoint, key)
    for position in range(1, ledger.position(run.conn) + 1):
        index = index_of(run.conn, Kind.EVENT, position)
        assert index is not None
        proof = prove(run.settings.log_path, index)
        assert root_of_path(leaf_hash(proof.entry), index, proof.size, proof.path) == checkpoint.root
    assert attest(run) == checkpoint


def test_f10_no_pointer_moves_while_the_database_contradicts_the_log(run: Run) -> None:
    attest(run)
    tamper(run.conn, "delete from log_entries where index >= 1")
    with pytest.raises(IntegrityError, match="first bad index 1,"):
        pull(run, [1, 2])
    assert journal.pointer(run.conn) == {}


def test_a_log_that_cannot_be_written_is_one_sentence_and_moves_no_pointer(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.settings.log_path.parent.mkdir(parents=True)
    run.settings.log_path.write_text("a file where the folder belongs")
    with pytest.raises(DependencyDown, match="log"):
        pull(run, [1, 2])
    assert journal.pointer(run.conn) == {}
    run.settings.log_path.unlink()
    pull(run, [1, 2])
    assert journal.pointer(run.conn)


@pytest.fixture
def lake(own_lake: SmallLake, monkeypatch: pytest.MonkeyPatch) -> SmallLake:
    """A small lake that verbs and commands open as theirs."""
    monkeypatch.setattr(verbs, "load", lambda: own_lake.run.settings)
    monkeypatch.setattr(common, "settings", lambda: own_lake.run.settings)
    return own_lake


def test_what_a_command_did_is_in_the_log_when_it_ends(lake: SmallLake) -> None:
    assert lake.one.consent is not None
    with common.opened() as run:
        ledger.withdraw(run.conn, lake.one.consent, AT)
        accesses.record(run.conn, Access("kim", Action.SQL, "select 1"), AT)
        assert index_of(run.conn, Kind.EVENT, ledger.position(run.conn)) is None
    run = lake.run
    found = (index_of(run.conn, Kind.EVENT, ledger.position(run.conn)), index_of(run.conn, Kind.ACCESS, 1))
    checkpoint = newest(run.settings.log_path)
    assert checkpoint is not None
    assert None not in found
    assert all(index < checkpoint.size for index in found if index is not None)


def test_f10_nothing_flows_while_an_old_event_is_not_what_the_log_has(lake: SmallLake) -> None:
    attest(lake.run)
    recover(lake.run)
    tamper(lake.run.conn, "update events set instant = instant + interval '1 day' where position = 2")
    bad = index_of(lake.run.conn, Kind.EVENT, 2)
    with pytest.raises(IntegrityError, match=f"first bad index {bad},"):
        recover(lake.run)
    with pytest.raises(IntegrityError, match=f"first bad index {bad},"):
        verbs.run_every_step(lake.run)


def test_f10_no_verb_begins_on_a_database_that_was_restored_to_an_older_state(lake: SmallLake) -> None:
    attest(lake.run)
    tamper(lake.run.conn, "delete from events where position > 3; update ledger_head set position = 3")
    bad = index_of(lake.run.conn, Kind.EVENT, 4)
    for verb in (verbs.standardise, verbs.publish, verbs.erase, verbs.recover):
        with pytest.raises(IntegrityError, match=f"first bad index {bad},"):
            verb("after-the-restore")


def test_access_records_in_the_lake_verify_from_files_alone(lake: SmallLake) -> None:
    run = lake.run
    accesses.record(run.conn, Access("kim", Action.SQL, "select 1"), AT)
    copy_ledger(run)
    rows = tables.read(run.settings.lake_root, ACCESSES, schema=accesses.ACCESSES_SCHEMA).to_pylist()
    assert rows
    for row in rows:
        index = index_of(run.conn, Kind.ACCESS, int(row["access_id"]))
        assert index is not None
        assert prove(run.settings.log_path, index).entry[-32:] == row["leaf_hash"] == accesses.leaf_hash(row)


def test_the_witness_keeps_key_and_memory_in_a_place_of_its_own(lake: SmallLake) -> None:
    attest(lake.run)
    settings = lake.run.settings
    assert settings.witness_path == settings.home_path / "witness"
    assert {p.name for p in settings.witness_path.iterdir()} == {"last-checkpoint", "lock", "witness-signing.key"}
    assert not list(settings.lake_root.rglob("witness*"))
