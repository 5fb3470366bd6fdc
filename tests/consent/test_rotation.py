"""F47: keys of the vault rotate beside readers and writers, whatever interrupts them; subject keys stay (P10)."""

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from consent import erasures, key_versions, owners, rotation, vault
from consent.errors import WrongKeys
from consent.key_files import FileKeys
from hanbeon.errors import IntegrityError, UsageError
from hanbeon.postgres import database
from hanbeon.settings import PROJECT
from tests.consent.making import AT, DAY

PEOPLE = [f"9023014{n:06d}" for n in range(60)]
OWNERS = [owners.owner_of_key(n) for n in range(20)]
NAMES = ["vault", "index"]
Rows = list[tuple[object, ...]]


def filled(conn: psycopg.Connection, secrets: vault.Secrets) -> list[int]:
    """Identifiers, owners' secrets and an unfinished erasure."""
    erasures.begin(conn, secrets, "run-a", 1, [], ["needle"], AT)
    owners.secrets_of(conn, secrets, OWNERS)
    keys: list[int] = vault.keys(conn, secrets, "RRN", PEOPLE, AT).to_pylist()
    return keys


def said(conn: psycopg.Connection, secrets: vault.Secrets) -> tuple[object, ...]:
    """All that the vault says, however it is encrypted."""
    keys = vault.find(conn, secrets, "RRN", PEOPLE).to_pylist()
    revealed = vault.reveal(conn, secrets, "RRN", keys).sort_by("identifier").to_pylist()
    needles = [one.needles for one in erasures.unfinished(conn, secrets)]
    return keys, revealed, needles, owners.known(conn, secrets, OWNERS)


def states(conn: psycopg.Connection, name: str) -> Rows:
    return conn.execute("select version, state from key_versions where name = %s order by version", [name]).fetchall()


@contextmanager
def a_row_held(dsn: str, table: str) -> Iterator[None]:
    """The last row of a table is locked by somebody else: a rotation gets so far and then waits."""
    order = {"vault_identifiers": "kind desc, lookup desc", "owner_secrets": "owner desc"}[table]
    with psycopg.connect(dsn) as conn:
        conn.execute(f"select 1 from {table} order by {order} limit 1 for update")
        yield
        conn.rollback()


@contextmanager
def rotating(dsn: str, keys: Path, name: str, size: int = 7) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.consent.rotating", dsn, str(keys), name, str(size)]
    process = subprocess.Popen(command, cwd=PROJECT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    pause = threading.Event()
    while not condition():
        assert process.poll() is None
        pause.wait(0.02)


@pytest.mark.parametrize("name", NAMES)
def test_f47_after_a_rotation_no_row_is_on_the_old_key_and_it_is_gone(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, name: str
) -> None:
    filled(ledger_conn, secrets)
    before = said(ledger_conn, secrets)
    done = rotation.rotate(ledger_conn, secrets, name, AT, size=7)
    rows = {"vault": 60 + 20 + 1, "index": 60}[name]
    assert done == rotation.Rotation(name, 2, rows, is_resumed=False)
    assert rotation.rows_on(ledger_conn, name) == {2: rows}
    assert states(ledger_conn, name) == [(1, "destroyed"), (2, "current")]
    assert secrets.service.held(name) == {2}
    assert said(ledger_conn, secrets) == before
    assert vault.keys(ledger_conn, secrets, "RRN", PEOPLE, AT).to_pylist() == before[0]


@pytest.mark.parametrize("name", NAMES)
def test_rotated_again_and_again_it_says_the_same(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, name: str
) -> None:
    filled(ledger_conn, secrets)
    before = said(ledger_conn, secrets)
    for version in (2, 3, 4):
        assert rotation.rotate(ledger_conn, secrets, name, AT, size=1000).version == version
        assert secrets.service.held(name) == {version}
    assert said(ledger_conn, secrets) == before


@pytest.mark.parametrize(
    ("name", "table"), [("vault", "vault_identifiers"), ("vault", "owner_secrets"), ("index", "vault_identifiers")]
)
def test_f47_killed_between_batches_and_run_again_it_ends_in_the_same_state(
    ledger_conn: psycopg.Connection,
    ledger_dsn_for_test: str,
    secrets: vault.Secrets,
    tmp_path: Path,
    name: str,
    table: str,
) -> None:
    filled(ledger_conn, secrets)
    before = said(ledger_conn, secrets)
    total = sum(rotation.rows_on(ledger_conn, name).values())
    with (
        a_row_held(ledger_dsn_for_test, table),
        rotating(ledger_dsn_for_test, tmp_path / "keys", name) as process,
    ):
        wait_for(lambda: rotation.rows_on(ledger_conn, name) == {1: 1, 2: total - 1}, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert secrets.service.held(name) == {1, 2}
    assert said(ledger_conn, secrets) == before
    done = rotation.rotate(ledger_conn, secrets, name, AT, size=7)
    assert done == rotation.Rotation(name, 2, 1, is_resumed=True)
    assert states(ledger_conn, name) == [(1, "destroyed"), (2, "current")]
    assert secrets.service.held(name) == {2}
    assert said(ledger_conn, secrets) == before


@pytest.mark.parametrize("step", ["_begin", "_pass", "_left", "_destroy"])
@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_f47_stopped_before_or_after_any_step_and_run_again_every_row_is_on_one_version(
    ledger_conn: psycopg.Connection,
    secrets: vault.Secrets,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    step: str,
    is_after: bool,
) -> None:
    filled(ledger_conn, secrets)
    before = said(ledger_conn, secrets)
    real = getattr(rotation, step)

    def stopped(*given: object) -> None:
        if is_after:
            real(*given)
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(rotation, step, stopped)
        with pytest.raises(InterruptedError):
            rotation.rotate(ledger_conn, secrets, name, AT)
    assert said(ledger_conn, secrets) == before
    version = rotation.rotate(ledger_conn, secrets, name, AT).version
    assert rotation.rows_on(ledger_conn, name).keys() == {version}
    assert secrets.service.held(name) == {version}
    assert said(ledger_conn, secrets) == before


def test_killed_before_the_database_names_the_new_version_it_takes_that_one(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets
) -> None:
    filled(ledger_conn, secrets)
    made = secrets.service.make("vault", 2)
    assert rotation.rotate(ledger_conn, secrets, "vault", AT).version == 2
    assert secrets.service.material("vault", 2) == made


@pytest.mark.parametrize("name", NAMES)
def test_f47_nobody_gets_a_second_key_from_grants_while_it_rotates(
    ledger_conn: psycopg.Connection, ledger_dsn_for_test: str, secrets: vault.Secrets, tmp_path: Path, name: str
) -> None:
    given = filled(ledger_conn, secrets)
    people = [*PEOPLE, *(f"9023024{n:06d}" for n in range(40))]
    found: list[list[int]] = []

    def assign() -> None:
        with psycopg.connect(ledger_dsn_for_test, autocommit=True) as conn:
            for start in range(0, len(people), 9):
                vault.keys(conn, secrets, "RRN", people[start : start + 9], AT)
                owners.secrets_of(conn, secrets, [owners.owner_of_key(start + 1000)])
            found.append(vault.keys(conn, secrets, "RRN", people, AT).to_pylist())

    with (
        a_row_held(ledger_dsn_for_test, "vault_identifiers"),
        rotating(ledger_dsn_for_test, tmp_path / "keys", name, 3) as process,
    ):
        wait_for(lambda: states(ledger_conn, name)[-1] == (2, "current"), process)
        threads = [threading.Thread(target=assign) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert states(ledger_conn, name)[0] == (1, "old")
        process.send_signal(signal.SIGKILL)
        process.wait()
    rotation.rotate(ledger_conn, secrets, name, AT, size=3)
    assert found == [found[0]] * 3
    assert found[0][: len(given)] == given
    assert len(set(found[0])) == len(people)
    assert ledger_conn.execute("select count(*), max(attempt) from vault_subjects").fetchone() == (len(people), 0)
    assert ledger_conn.execute("select count(*) from vault_identifiers").fetchone() == (len(people),)
    assert vault.find(ledger_conn, secrets, "RRN", people).to_pylist() == found[0]
    assert rotation.rows_on(ledger_conn, name).keys() == {2}


def test_whoever_writes_with_the_old_key_ends_before_it_is_left(
    ledger_conn: psycopg.Connection, ledger_dsn_for_test: str, secrets: vault.Secrets, tmp_path: Path
) -> None:
    filled(ledger_conn, secrets)
    with (
        psycopg.connect(ledger_dsn_for_test) as writer,
        rotating(ledger_dsn_for_test, tmp_path / "keys", "vault") as process,
    ):
        with writer.transaction():
            vault.keys(writer, secrets, "RRN", ["9023034000003"], AT)
            waits = "select count(*) from pg_locks where locktype = 'advisory' and objid = %s and not granted"
            wait_for(lambda: ledger_conn.execute(waits, [key_versions.LOCK]).fetchone() == (1,), process)
            assert states(ledger_conn, "vault") == [(1, "current")]
        assert process.wait() == 0
    assert rotation.rows_on(ledger_conn, "vault") == {2: 82}


def test_f47_two_rotations_at_once_come_one_after_the_other(
    ledger_conn: psycopg.Connection, ledger_dsn_for_test: str, secrets: vault.Secrets, tmp_path: Path
) -> None:
    filled(ledger_conn, secrets)
    before = said(ledger_conn, secrets)
    with (
        rotating(ledger_dsn_for_test, tmp_path / "keys", "vault") as one,
        rotating(ledger_dsn_for_test, tmp_path / "keys", "index") as two,
    ):
        assert (one.wait(), two.wait()) == (0, 0)
    assert [rotation.rows_on(ledger_conn, name).keys() for name in NAMES] == [{2}, {2}]
    assert said(ledger_conn, secrets) == before


@pytest.mark.parametrize("name", ["subject", "ids", "log-signing", "nothing"])
def test_keys_that_name_subjects_rows_and_documents_do_not_rotate(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, name: str
) -> None:
    with pytest.raises(UsageError, match="for good"):
        rotation.rotate(ledger_conn, secrets, name, AT)


# Moved ciphertext


def test_f47_two_numbers_of_one_person_cannot_change_places(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets
) -> None:
    (key,) = vault.keys(ledger_conn, secrets, "RRN", [PEOPLE[0]], AT).to_pylist()
    vault.link(ledger_conn, secrets, "RRN", PEOPLE[1], key, AT + DAY)
    ledger_conn.execute(
        "update vault_identifiers a set ciphertext = b.ciphertext from vault_identifiers b where a.lookup <> b.lookup"
    )
    with pytest.raises(IntegrityError, match="moved or changed"):
        vault.reveal(ledger_conn, secrets, "RRN", [key])


def test_f47_ciphertext_of_one_column_does_not_open_in_another_or_as_another_version(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets
) -> None:
    filled(ledger_conn, secrets)
    with ledger_conn.transaction(force_rollback=True):
        ledger_conn.execute("update erasures set sealed = (select ciphertext from owner_secrets limit 1)")
        with pytest.raises(IntegrityError, match=r"erasures\.sealed"):
            erasures.unfinished(ledger_conn, secrets)
    secrets.service.make("vault", 2)
    ledger_conn.execute("update owner_secrets set key_version = 2")
    with pytest.raises(IntegrityError, match=r"owner_secrets\.ciphertext"):
        owners.known(ledger_conn, secrets, OWNERS)


def test_f47_a_moved_ciphertext_stops_the_rotation_and_the_old_key_stays(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets
) -> None:
    filled(ledger_conn, secrets)
    ledger_conn.execute(
        "update owner_secrets set ciphertext = (select ciphertext from owner_secrets order by owner limit 1)"
    )
    with pytest.raises(IntegrityError, match="moved or changed"):
        rotation.rotate(ledger_conn, secrets, "vault", AT)
    assert secrets.service.held("vault") == {1, 2}
    assert states(ledger_conn, "vault") == [(1, "old"), (2, "current")]


# Old keys restored


@pytest.fixture
def old_keys(ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path) -> Path:
    """The folder of keys as a backup has it from before both rotations."""
    filled(ledger_conn, secrets)
    shutil.copytree(tmp_path / "keys", tmp_path / "backup")
    return tmp_path / "backup"


@pytest.mark.parametrize("name", NAMES)
def test_f47_old_key_files_in_the_place_of_the_new_open_nothing(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, old_keys: Path, name: str
) -> None:
    rotation.rotate(ledger_conn, secrets, name, AT)
    restored = vault.secrets(old_keys)
    for act in (
        lambda: vault.keys(ledger_conn, restored, "RRN", ["9023034000003"], AT),
        lambda: vault.find(ledger_conn, restored, "RRN", PEOPLE),
        lambda: owners.known(ledger_conn, restored, OWNERS),
        lambda: erasures.unfinished(ledger_conn, restored),
        lambda: rotation.rotate(ledger_conn, restored, name, AT),
    ):
        with pytest.raises(WrongKeys, match=f"Version 2 of the key {name}"):
            act()


@pytest.mark.parametrize("name", NAMES)
def test_f47_an_old_key_under_the_name_of_the_new_is_noticed(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, old_keys: Path, tmp_path: Path, name: str
) -> None:
    rotation.rotate(ledger_conn, secrets, name, AT)
    shutil.copy(old_keys / f"{name}.key", tmp_path / "keys" / f"{name}.2.key")
    with pytest.raises(WrongKeys, match="not the one"):
        vault.find(ledger_conn, secrets, "RRN", PEOPLE)


@pytest.mark.parametrize("name", NAMES)
def test_f47_an_old_key_put_back_beside_the_new_is_named_and_destroyed_again(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, old_keys: Path, tmp_path: Path, name: str
) -> None:
    before = said(ledger_conn, secrets)
    rotation.rotate(ledger_conn, secrets, name, AT)
    assert key_versions.put_back(ledger_conn, secrets.service) == []
    shutil.copy(old_keys / f"{name}.key", tmp_path / "keys")
    assert key_versions.put_back(ledger_conn, secrets.service) == [(name, 1)]
    assert said(ledger_conn, secrets) == before
    rotation.rotate(ledger_conn, secrets, name, AT)
    assert secrets.service.held(name) == {3}


@pytest.mark.parametrize("name", NAMES)
def test_f47_an_old_dump_of_the_database_does_not_open_with_the_new_keys(
    ledger_conn: psycopg.Connection, ledger_dsn_for_test: str, postgres_dsn: str, secrets: vault.Secrets, name: str
) -> None:
    filled(ledger_conn, secrets)
    dump, source = sql.Identifier(f"dump_{uuid4().hex[:12]}"), sql.Identifier(ledger_conn.info.dbname)
    ledger_conn.close()
    with psycopg.connect(postgres_dsn, autocommit=True) as server:
        server.execute(sql.SQL("create database {} template {}").format(dump, source))
        try:
            with psycopg.connect(ledger_dsn_for_test, autocommit=True) as conn:
                rotation.rotate(conn, secrets, name, AT)
            old = database(postgres_dsn, dump.as_string(server).strip('"'))
            with psycopg.connect(old, autocommit=True) as conn, pytest.raises(WrongKeys, match="Version 1"):
                vault.find(conn, secrets, "RRN", PEOPLE)
        finally:
            server.execute(sql.SQL("drop database {} with (force)").format(dump))


def test_the_versions_of_a_key_are_files_of_their_own(tmp_path: Path) -> None:
    keys = FileKeys(tmp_path)
    one, two = keys.make("vault", 1), keys.make("vault", 2)
    keys.make("holds/vault", 1)
    assert (keys.held("vault"), keys.held("holds/vault"), keys.held("index")) == ({1, 2}, {1}, set())
    assert keys.make("vault", 2) == keys.material("vault", 2) == two != one
    assert {p.name for p in tmp_path.glob("*.key")} == {"vault.key", "vault.2.key"}
    keys.destroy("vault", 1)
    keys.destroy("vault", 1)
    with pytest.raises(WrongKeys):
        keys.material("vault", 1)
