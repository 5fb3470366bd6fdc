"""The vault: identifiers become keys, and rest nowhere in clear (P10, F46, F47)."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from consent import accesses, applications, imports, ledger, vault
from consent import secrets as key_files
from consent.errors import WrongKeys
from hanbeon.errors import IntegrityError, UsageError
from hanbeon.postgres import cluster, database
from tests.consent.making import AT, DAY, application, grant, manifest_of, scope, trusted

# Simulated resident registration numbers: the month is 20 too high.
ONE, TWO, THREE = "9023014000001", "9023024000002", "9023034000003"


def test_a_key_is_assigned_at_first_sight_and_kept(ledger_conn: psycopg.Connection, secrets: vault.Secrets) -> None:
    first = vault.keys(ledger_conn, secrets, "RRN", [ONE, TWO, ONE], AT)
    again = vault.keys(ledger_conn, secrets, "RRN", pa.array([TWO, THREE]), AT + DAY)
    assert first.type == pa.int64()
    assert first[0] == first[2]
    assert again[0] == first[1]
    assert len({*first.to_pylist(), *again.to_pylist()}) == 3


def test_null_and_empty_identifiers_have_no_key(ledger_conn: psycopg.Connection, secrets: vault.Secrets) -> None:
    given = pa.array([None, "", ONE])
    assert [k is None for k in vault.keys(ledger_conn, secrets, "RRN", given, AT).to_pylist()] == [True, True, False]
    assert [k is None for k in vault.find(ledger_conn, secrets, "RRN", given).to_pylist()] == [True, True, False]
    assert len(vault.keys(ledger_conn, secrets, "RRN", pa.array([], pa.string()), AT)) == 0


def test_the_same_digits_of_two_kinds_are_two_identities(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets
) -> None:
    rrn, crn = (vault.keys(ledger_conn, secrets, kind, [ONE], AT)[0] for kind in ("RRN", "CRN"))
    assert rrn != crn


def test_nobody_revealed_is_an_empty_table_of_the_same_columns(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets
) -> None:
    schema = pa.schema([("_subject_key", pa.int64()), ("identifier", pa.string())])
    (key,) = vault.keys(ledger_conn, secrets, "RRN", [ONE], AT).to_pylist()
    assert vault.reveal(ledger_conn, secrets, "RRN", [key]).schema == schema
    assert vault.reveal(ledger_conn, secrets, "RRN", []) == schema.empty_table()


def test_find_assigns_nothing(ledger_conn: psycopg.Connection, secrets: vault.Secrets) -> None:
    assert vault.find(ledger_conn, secrets, "RRN", [ONE]).to_pylist() == [None]
    keys = vault.keys(ledger_conn, secrets, "RRN", [ONE], AT)
    assert vault.find(ledger_conn, secrets, "RRN", [TWO, ONE]).to_pylist() == [None, keys[0].as_py()]


def test_many_identifiers_meet_in_one_key_and_the_newest_is_revealed(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets
) -> None:
    (key,) = vault.keys(ledger_conn, secrets, "RRN", [ONE], AT).to_pylist()
    vault.link(ledger_conn, secrets, "RRN", TWO, key, AT + DAY)
    vault.link(ledger_conn, secrets, "RRN", TWO, key, AT + DAY)
    vault.link(ledger_conn, secrets, "passport", "M123A4567", key, AT)
    assert vault.keys(ledger_conn, secrets, "RRN", [ONE, TWO], AT).to_pylist() == [key, key]
    assert vault.reveal(ledger_conn, secrets, "RRN", [key]).to_pylist() == [{"_subject_key": key, "identifier": TWO}]
    passport = vault.reveal(ledger_conn, secrets, "passport", pa.array([key, 5, None])).to_pylist()
    assert passport == [{"_subject_key": key, "identifier": "M123A4567"}]
    intervals = ledger_conn.execute(
        "select valid_from, valid_until from vault_identifiers where kind = 'RRN' order by sequence"
    ).fetchall()
    assert intervals == [(AT, AT + DAY), (AT + DAY, None)]


def test_two_identities_are_never_joined(ledger_conn: psycopg.Connection, secrets: vault.Secrets) -> None:
    one, _ = vault.keys(ledger_conn, secrets, "RRN", [ONE, TWO], AT).to_pylist()
    with pytest.raises(UsageError, match="never joined") as refused:
        vault.link(ledger_conn, secrets, "RRN", TWO, one, AT)
    assert TWO not in str(refused.value)
    with pytest.raises(UsageError, match="no such subject key"):
        vault.link(ledger_conn, secrets, "RRN", THREE, 5, AT)


def test_f46_two_subjects_that_would_get_one_key_are_told_apart(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault, "KEY_BYTES", 1)  # 256 keys in all: 100 people collide for certain
    people = [f"9023014{n:06d}" for n in range(100)]
    together = vault.keys(ledger_conn, secrets, "RRN", people[:50], AT).to_pylist()
    later = vault.keys(ledger_conn, secrets, "RRN", people[50:], AT).to_pylist()
    assert len({*together, *later}) == 100
    retried = ledger_conn.execute("select count(*) from vault_subjects where attempt > 0").fetchone()
    assert retried is not None
    assert retried[0] > 0
    assert vault.keys(ledger_conn, secrets, "RRN", people, AT).to_pylist() == together + later
    revealed = vault.reveal(ledger_conn, secrets, "RRN", together + later).to_pylist()
    assert {r["_subject_key"]: r["identifier"] for r in revealed} == dict(zip(together + later, people, strict=True))


def test_first_sight_in_several_places_at_once_gives_one_key(ledger_dsn_for_test: str, secrets: vault.Secrets) -> None:
    people = [f"9023014{n:06d}" for n in range(200)]
    found: list[list[int]] = []

    def assign() -> None:
        with psycopg.connect(ledger_dsn_for_test, autocommit=True) as conn:
            found.append(vault.keys(conn, secrets, "RRN", people, AT).to_pylist())

    threads = [threading.Thread(target=assign) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(keys == found[0] for keys in found)


def test_f47_a_ciphertext_moved_to_another_row_or_changed_is_not_revealed(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets
) -> None:
    one, two = vault.keys(ledger_conn, secrets, "RRN", [ONE, TWO], AT).to_pylist()
    move = "update vault_identifiers set ciphertext = (select ciphertext from vault_identifiers where subject_key = %s)"
    with ledger_conn.transaction(force_rollback=True):
        ledger_conn.execute(move, [one])
        assert vault.reveal(ledger_conn, secrets, "RRN", [one]).num_rows == 1
        with pytest.raises(IntegrityError, match="moved or changed"):
            vault.reveal(ledger_conn, secrets, "RRN", [two])
    ledger_conn.execute("update vault_identifiers set ciphertext = set_byte(ciphertext, 20, 0) || 'x'")
    with pytest.raises(IntegrityError):
        vault.reveal(ledger_conn, secrets, "RRN", [one])


def test_lost_key_files_are_noticed_before_anybody_gets_a_new_key(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets, tmp_path: Path
) -> None:
    vault.keys(ledger_conn, secrets, "RRN", [ONE], AT)
    others = vault.secrets(tmp_path / "others")
    with pytest.raises(WrongKeys):
        vault.keys(ledger_conn, others, "RRN", [TWO], AT)
    with pytest.raises(WrongKeys):
        vault.find(ledger_conn, others, "RRN", [ONE])


def test_p8_a_wrong_identifier_is_refused_without_being_shown(
    ledger_conn: psycopg.Connection, secrets: vault.Secrets
) -> None:
    for wrong in ("9" * 201, "\ud800", 9023014000001):
        with pytest.raises(UsageError) as refused:
            vault.keys(ledger_conn, secrets, "RRN", [wrong], AT)
        assert str(wrong) not in str(refused.value)


def test_key_files_are_private_made_once_and_never_printed(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    made = vault.secrets(folder)
    assert vault.secrets(folder) == made
    files = sorted(folder.iterdir())
    assert [f.name for f in files] == ["ids.key", "index.key", "subject.key", "vault.key"]
    assert {f.stat().st_mode & 0o777 for f in files} == {0o600}
    assert len({f.read_bytes() for f in files}) == 4
    assert repr(made) == "Secrets()"
    assert vault.secrets(tmp_path / "other") != made


def test_a_damaged_key_file_is_named_and_not_replaced(tmp_path: Path) -> None:
    vault.secrets(tmp_path)
    (tmp_path / "subject.key").write_bytes(b"short")
    with pytest.raises(IntegrityError, match=r"subject\.key"):
        vault.secrets(tmp_path)
    assert (tmp_path / "subject.key").read_bytes() == b"short"


def test_first_use_of_the_keys_in_several_threads_agrees(tmp_path: Path) -> None:
    made: list[vault.Secrets] = []
    threads = [threading.Thread(target=lambda: made.append(vault.secrets(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len({key_files.keyed_hashes(s, "x", ["y"])[0] for s in made}) == 1


def test_keyed_hashes_differ_by_purpose_and_key_and_not_by_form(secrets: vault.Secrets, tmp_path: Path) -> None:
    (one,) = vault.keyed_hashes(secrets, "evidence", ["a"])
    assert vault.keyed_hashes(secrets, "evidence", [b"a", "b"])[0] == one
    assert len(one) == 32
    assert vault.keyed_hashes(secrets, "pairwise", ["a"]) != [one]
    assert vault.keyed_hashes(vault.secrets(tmp_path / "other"), "evidence", ["a"]) != [one]


@pytest.fixture(scope="module")
def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("own")
    with cluster(folder, is_durable=False) as dsn:
        yield folder, database(dsn, "ledger")


def test_p10_no_identifier_rests_in_clear_in_any_table_file_or_write_ahead_log(
    own_cluster: tuple[Path, str], secrets: vault.Secrets, tmp_path: Path
) -> None:
    folder, dsn = own_cluster
    planted = [ONE, TWO, THREE]
    file = tmp_path / "given.csv"
    file.write_text(
        "external_id,service,identifier_kind,subject_identifier,valid_from,valid_until,salt\n"
        f"person-{THREE},HOUSING_SUBSCRIPTION,RRN,{THREE},2026-06-01,2027-06-01,{'5a' * 32}\n"
        f"bad-{THREE},HOUSING_SUBSCRIPTION,RRN,{THREE},soon,2027-06-01,{'5a' * 32}\n"
    )
    from consent import schema

    with schema.connect(dsn) as conn:
        keys = vault.keys(conn, secrets, "RRN", [ONE], AT).to_pylist()
        vault.link(conn, secrets, "RRN", TWO, keys[0], AT)
        vault.find(conn, secrets, "RRN", planted)
        vault.reveal(conn, secrets, "RRN", keys)
        ledger.grant(conn, [grant(scope(subject_key=keys[0]), grantor_key=keys[0])], AT)
        applications.open(conn, application(applicant_key=keys[0]))
        trust, manifest = trusted(tmp_path), manifest_of(tmp_path, file)
        report = imports.import_file(conn, secrets, file, AT, trust, manifest)
        assert (report.granted, len(report.refused)) == (1, 1)
        conn.execute("checkpoint")
        tables = conn.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        assert accesses.listing(conn).num_rows == 0
        dumped = b"".join(dump(conn, name) for (name,) in tables)
        assert str(keys[0]).encode() in dumped  # the scan would find what is there
        files = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
        assert b"SINGLE_PARENT" in files
    for needle in planted:
        for form in (needle, f"{needle[:6]}-{needle[6:]}"):
            assert form.encode() not in dumped
            assert form.encode() not in files


def dump(conn: psycopg.Connection, table: str) -> bytes:
    with conn.cursor() as cursor, cursor.copy(f"copy {table} to stdout") as copy:
        return b"".join(bytes(chunk) for chunk in copy)
