"""F10: rows edited, deleted, reordered, or restored to an older state contradict the witnessed log."""

import shutil
from pathlib import Path

import psycopg
import pytest

from consent import accesses
from consent.accesses import Access, Action
from consent.log import check, consistency, newest
from consent.log.tiles import tile_path
from consent.log.witness import need_consistent
from hanbeon.errors import IntegrityError, SettingsError
from hanbeon.settings import LogSettings
from tests.consent.log.making import AT, Parties, add_statement, append_events, parties, publish_all

EVENTS, OLD = 600, 40


@pytest.fixture
def who(ledger_conn: psycopg.Connection, tmp_path: Path) -> Parties:
    """600 events at the indexes 0 to 599, an access record at 600, a statement at 601."""
    made = parties(tmp_path)
    append_events(ledger_conn, EVENTS)
    accesses.record(ledger_conn, Access("kim", Action.SQL, "select 1"), AT)
    add_statement(ledger_conn, "found nothing")
    publish_all(ledger_conn, made)
    return made


def tamper(conn: psycopg.Connection, statement: str) -> None:
    """As somebody would who may do everything in the database."""
    conn.execute("set session_replication_role = replica")
    conn.execute(statement)
    conn.execute("set session_replication_role = origin")


def first_bad(conn: psycopg.Connection, who: Parties) -> int | None:
    with pytest.raises(IntegrityError, match="first bad index") as caught:
        check.need_none(conn, who.folder, who.signers, who.witness)
    found = check.contradictions(conn, who.folder, who.witness)
    assert f"first bad index {found[0].index}," in str(caught.value)
    return found[0].index


def test_an_untouched_log_contradicts_nothing(ledger_conn: psycopg.Connection, who: Parties) -> None:
    append_events(ledger_conn, 3)  # what is not yet sequenced is no contradiction
    check.need_none(ledger_conn, who.folder, who.signers, who.witness)
    assert publish_all(ledger_conn, who).size == EVENTS + 5


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("""update events set payload = '{"n":7}' where position = 201""", 200),
        ("update events set instant = instant + interval '1 microsecond' where position = 201", 200),
        ("update events set leaf_hash = sha256('x') where position = 201", 200),
        ("update events set subject = 'another' where position >= 201", 200),
        ("delete from events where position = 201", 200),
        ("update events set position = case position when 201 then 0 when 203 then 201 end"
         " where position in (201, 203)", 200),
        ("update accesses set reader = 'lee'", 600),
        ("update accesses set is_granted = false, reason = 'withdrawn'", 600),
        ("delete from accesses", 600),
        ("update log_bodies set body = '{}'", 601),
        ("update log_entries set digest = sha256('x') where index = 300", 300),
        ("delete from log_entries where index = 300", 300),
        ("delete from log_entries where index >= 300", 300),
        ("update log_entries set index = case index when 30 then -30 else index - 1 end where index in (30, 31)", 30),
        ("delete from events where position > 580", 580),
    ],
)  # fmt: skip
def test_f10_a_row_that_was_tampered_with_is_named_by_its_first_bad_index(
    ledger_conn: psycopg.Connection, who: Parties, statement: str, index: int
) -> None:
    ledger_conn.execute("alter table log_entries drop constraint log_entries_index_check")
    tamper(ledger_conn, statement)
    assert first_bad(ledger_conn, who) == index


def test_f10_an_edit_with_its_hash_and_its_entry_is_found_by_the_tiles(
    ledger_conn: psycopg.Connection, who: Parties
) -> None:
    """Whoever rewrites payload, hash and entry consistently still contradicts what was witnessed."""
    tamper(ledger_conn, "update events set salt = null, payload = null, leaf_hash = sha256('x') where position = 201")
    tamper(ledger_conn, "update log_entries set digest = sha256('x') where index = 200")
    assert first_bad(ledger_conn, who) == 200


def test_f10_an_erased_payload_is_no_contradiction(ledger_conn: psycopg.Connection, who: Parties) -> None:
    ledger_conn.execute("select ledger_erase_payloads(array[201])")
    accesses.erase(ledger_conn, [1])
    check.need_none(ledger_conn, who.folder, who.signers, who.witness)


RESTORED = """
delete from events where position > 560; delete from accesses; delete from log_bodies;
delete from log_entries where index >= 560; update ledger_head set position = 560
"""


def test_f10_a_database_restored_to_an_older_state_is_noticed_before_anything_is_published(
    ledger_conn: psycopg.Connection, who: Parties
) -> None:
    before = newest(who.folder)
    tamper(ledger_conn, RESTORED)
    append_events(ledger_conn, 2)
    for _ in range(2):
        with pytest.raises(IntegrityError, match="first bad index 560,"):
            publish_all(ledger_conn, who)
    assert first_bad(ledger_conn, who) == 560
    assert newest(who.folder) == before


def test_f10_a_database_restored_and_filled_up_again_is_noticed_too(
    ledger_conn: psycopg.Connection, who: Parties
) -> None:
    """Other events at the same positions, as many as before."""
    tamper(ledger_conn, RESTORED)
    append_events(ledger_conn, OLD)
    tamper(
        ledger_conn,
        "insert into log_entries select position - 1, 1, position, decode('0000000000000000', 'hex'), leaf_hash"
        " from events where position > 560",
    )
    append_events(ledger_conn, 5)
    tamper(
        ledger_conn,
        "insert into log_entries select position - 1, 1, position, decode('0000000000000000', 'hex'), leaf_hash"
        " from events where position > 600",
    )
    with pytest.raises(IntegrityError, match="first bad index 560,"):
        publish_all(ledger_conn, who)
    assert first_bad(ledger_conn, who) == 560


def test_f10_database_and_files_of_an_older_state_are_contradicted_by_the_witness(
    ledger_conn: psycopg.Connection, who: Parties, tmp_path: Path
) -> None:
    """Everything is restored but the witness, which has seen more."""
    tamper(ledger_conn, RESTORED)
    shutil.rmtree(who.folder)
    elsewhere = parties(tmp_path / "elsewhere")
    older = Parties(who.folder, who.signers, elsewhere.witness.__class__(tmp_path / "forgetful", who.operator_vkey))
    publish_all(ledger_conn, older)
    with pytest.raises(IntegrityError):
        publish_all(ledger_conn, who)
    assert check.contradictions(ledger_conn, who.folder, who.witness)[0].index == 560


@pytest.mark.parametrize("kind", ["tile/0", "tile/entries"])
def test_f10_a_damaged_tile_is_named_by_its_index(ledger_conn: psycopg.Connection, who: Parties, kind: str) -> None:
    path = tile_path(who.folder, kind, 1)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert first_bad(ledger_conn, who) == 256 + 128
    path.unlink()
    assert first_bad(ledger_conn, who) == 256


def test_files_that_are_moved_away_are_written_anew_and_the_witness_goes_on(
    ledger_conn: psycopg.Connection, who: Parties
) -> None:
    before = newest(who.folder)
    assert before is not None
    shutil.rmtree(who.folder)
    append_events(ledger_conn, 1)
    after = publish_all(ledger_conn, who)
    need_consistent(before.size, before.root, after.size, after.root, consistency(who.folder, before.size, after.size))
    check.need_none(ledger_conn, who.folder, who.signers, who.witness)


def test_f10_a_checkpoint_that_nobody_signed_stops_everything(ledger_conn: psycopg.Connection, who: Parties) -> None:
    path = who.folder / "checkpoint"
    path.write_text(path.read_text(encoding="utf-8").replace("\n602\n", "\n601\n"), encoding="utf-8")
    append_events(ledger_conn, 1)
    with pytest.raises(IntegrityError, match="not signed"):
        publish_all(ledger_conn, who)


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "a\u3000b"])
def test_an_origin_that_a_note_cannot_carry_is_refused(origin: str) -> None:
    with pytest.raises(SettingsError, match=r"log\.origin"):
        LogSettings(origin=origin)


def test_another_origin_than_that_of_the_files_is_refused(ledger_conn: psycopg.Connection, who: Parties) -> None:
    path = who.folder / "checkpoint"
    path.write_text(path.read_text(encoding="utf-8").replace("hanbeon.test", "hanbeon.other"), encoding="utf-8")
    with pytest.raises(IntegrityError, match=r"log\.origin"):
        publish_all(ledger_conn, who)
