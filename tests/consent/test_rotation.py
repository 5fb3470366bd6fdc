"""F47: rotation of the vault's keys, interrupted, raced, restored; ciphertext and subject keys stay what they were."""

import multiprocessing
import os
import signal
import threading
from pathlib import Path

import psycopg
import pytest

from consent import owners, rotation, schema, vault
from consent.bodies import BodyKind, bodies
from consent.errors import WrongKeys
from consent.keys_in_use import versions
from consent.rotation import rotate
from consent.secrets import Secrets
from hanbeon.errors import IntegrityError, UsageError
from tests.consent.making import AT, DAY

PEOPLE = [f"90230140{n:05d}" for n in range(2_500)]  # three batches
KILLED = multiprocessing.get_context("spawn")


@pytest.fixture
def filled(ledger_conn: psycopg.Connection, secrets: Secrets) -> dict[str, int]:
    keys = dict(zip(PEOPLE, vault.keys(ledger_conn, secrets, "RRN", PEOPLE, AT).to_pylist(), strict=True))
    owners.secrets_of(ledger_conn, secrets, [owners.owner_of_key(key) for key in keys.values()])
    return keys


def stands(conn: psycopg.Connection, secrets: Secrets, keys: dict[str, int]) -> None:
    """Everybody is found, revealed, and nobody has a second key."""
    assert vault.keys(conn, secrets, "RRN", list(keys), AT).to_pylist() == list(keys.values())
    assert vault.find(conn, secrets, "RRN", list(keys)).to_pylist() == list(keys.values())
    shown = vault.reveal(conn, secrets, "RRN", list(keys.values())).to_pylist()
    assert {row["identifier"]: row["_subject_key"] for row in shown} == keys
    row = conn.execute("select count(*), count(distinct subject_key) from vault_identifiers").fetchone()
    assert row == (len(keys), len(keys))


@pytest.mark.parametrize("name", ["vault", "index"])
def test_f47_every_row_comes_under_the_new_key_and_the_old_one_is_destroyed(
    ledger_conn: psycopg.Connection, secrets: Secrets, filled: dict[str, int], tmp_path: Path, name: str
) -> None:
    before = owners.known(ledger_conn, secrets, [owners.owner_of_key(key) for key in filled.values()])
    old = (tmp_path / "keys" / f"{name}.key").read_bytes()
    done = rotate(ledger_conn, secrets, name, AT)
    assert (done.version, done.destroyed, done.is_resumed) == (2, (1,), False)
    assert set(rotation.counted(ledger_conn, name)) == {2}
    assert not (tmp_path / "keys" / f"{name}.key").exists()
    assert (tmp_path / "keys" / f"{name}.2.key").read_bytes() != old
    for one in (secrets, vault.secrets(tmp_path / "keys")):  # a process that was there before, and a new one
        stands(ledger_conn, one, filled)
        assert owners.known(ledger_conn, one, list(before)) == before
    again = rotate(ledger_conn, secrets, name, AT)
    assert (again.version, again.destroyed) == (3, (2,))
    stands(ledger_conn, secrets, filled)
    said = [body for body in bodies(ledger_conn, BodyKind.FINDING) if body["kind"] == "key_rotation"]
    assert [(body["key"], body["version"]) for body in said] == [(name, 2), (name, 3)]


def _rotate_until_killed(dsn: str, keys_path: Path, name: str, batches: int) -> None:
    left = [batches]

    def die(_: int) -> None:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    with schema.connect(dsn) as conn:
        rotate(conn, vault.secrets(keys_path), name, AT, die)


@pytest.mark.parametrize("name", ["vault", "index"])
def test_f47_killed_between_batches_both_keys_are_read_and_the_next_rotation_ends_it(
    ledger_conn: psycopg.Connection,
    ledger_dsn_for_test: str,
    secrets: Secrets,
    filled: dict[str, int],
    tmp_path: Path,
    name: str,
) -> None:
    killed = KILLED.Process(target=_rotate_until_killed, args=(ledger_dsn_for_test, tmp_path / "keys", name, 2))
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    assert set(rotation.counted(ledger_conn, name)) == {1, 2}
    stands(ledger_conn, secrets, filled)
    newcomer = vault.keys(ledger_conn, secrets, "RRN", ["9923014000009"], AT).to_pylist()[0]
    done = rotate(ledger_conn, secrets, name, AT)
    assert (done.version, done.destroyed, done.is_resumed) == (2, (1,), True)
    assert set(rotation.counted(ledger_conn, name)) == {2}
    stands(ledger_conn, vault.secrets(tmp_path / "keys"), {**filled, "9923014000009": newcomer})


def test_f47_killed_after_a_key_was_made_or_before_the_old_one_went_the_next_rotation_ends_it(
    ledger_conn: psycopg.Connection, secrets: Secrets, filled: dict[str, int], tmp_path: Path
) -> None:
    assert secrets.vault.service.add("vault") == 2  # and killed there
    assert rotate(ledger_conn, secrets, "vault", AT).is_resumed
    (tmp_path / "keys" / "vault.key").write_bytes(b"k" * 32)  # as if it had not been destroyed
    done = rotate(ledger_conn, secrets, "vault", AT)
    assert (done.version, done.rows, done.destroyed, done.is_resumed) == (2, 0, (1,), True)
    stands(ledger_conn, secrets, filled)


def test_f47_while_it_rotates_nobody_gets_a_second_key_and_everybody_is_found(
    ledger_conn: psycopg.Connection, ledger_dsn_for_test: str, secrets: Secrets, filled: dict[str, int]
) -> None:
    new = {f"95230140{n:05d}": -1 for n in range(300)}
    found: list[dict[str, int]] = []
    failed: list[BaseException] = []
    is_over = threading.Event()

    def see_them() -> None:
        try:
            with schema.connect(ledger_dsn_for_test) as conn:
                while not is_over.is_set():
                    people = [*PEOPLE[::10], *new]
                    seen = vault.keys(conn, secrets, "RRN", people, AT).to_pylist()
                    found.append(dict(zip(people, seen, strict=True)))
        except BaseException as error:
            failed.append(error)

    readers = [threading.Thread(target=see_them) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for name in ("index", "vault", "index"):
            rotate(ledger_conn, secrets, name, AT)
    finally:
        is_over.set()
        for reader in readers:
            reader.join()
    assert failed == []
    assert len(found) > 1
    assert all(one == found[0] for one in found)
    assert {p: k for p, k in found[0].items() if p in filled} == {p: filled[p] for p in PEOPLE[::10]}
    stands(ledger_conn, secrets, {**filled, **{p: found[0][p] for p in new}})


def test_f47_an_old_key_put_back_opens_nothing_and_an_old_database_says_which_key_is_gone(
    ledger_conn: psycopg.Connection, secrets: Secrets, filled: dict[str, int], tmp_path: Path
) -> None:
    folder = tmp_path / "keys"
    old = (folder / "vault.key").read_bytes()
    ledger_conn.execute("create table dump as select * from vault_identifiers")
    rotate(ledger_conn, secrets, "vault", AT)
    (folder / "vault.key").write_bytes(old)
    again = vault.secrets(folder)
    stands(ledger_conn, again, filled)  # beside the new one it does no harm
    assert rotate(ledger_conn, again, "vault", AT).destroyed == (1,)
    (folder / "vault.2.key").write_bytes(old)
    with pytest.raises(WrongKeys):
        vault.find(ledger_conn, vault.secrets(folder), "RRN", PEOPLE[:1])
    (folder / "vault.2.key").write_bytes(secrets.vault.key(2))
    ledger_conn.execute(
        "update vault_identifiers as v set ciphertext = d.ciphertext from dump as d where d.lookup = v.lookup"
    )
    with pytest.raises(IntegrityError, match="Version 1 of the key vault is gone"):
        vault.reveal(ledger_conn, vault.secrets(folder), "RRN", list(filled.values()))
    ledger_conn.execute("drop table dump")


def test_f47_a_ciphertext_moved_to_another_row_stops_a_rotation_before_anything_is_destroyed(
    ledger_conn: psycopg.Connection, secrets: Secrets, filled: dict[str, int], tmp_path: Path
) -> None:
    ledger_conn.execute(
        "update vault_identifiers set ciphertext = (select ciphertext from vault_identifiers order by sequence limit 1)"
        " where sequence = (select max(sequence) from vault_identifiers)"
    )
    with pytest.raises(IntegrityError, match="does not belong to its row"):
        rotate(ledger_conn, secrets, "vault", AT)
    assert (tmp_path / "keys" / "vault.key").exists()
    assert versions(ledger_conn)["vault"].oldest == 1


def test_only_keys_that_may_rotate_do(ledger_conn: psycopg.Connection, secrets: Secrets) -> None:
    for name in ("subject", "ids", "log-signing"):
        with pytest.raises(UsageError, match="index, vault"):
            rotate(ledger_conn, secrets, name, AT + DAY)
