"""`hanbeon keys`, and what the doctor says of keys (F47)."""

import json
import shutil

from consent import vault
from tests.cli.conftest import Hanbeon
from tests.small_lake import ONE, SmallLake


def test_f47_rotate_says_what_moved_and_list_counts_the_rows_of_each_version(
    hanbeon: Hanbeon, own_lake: SmallLake
) -> None:
    run = own_lake.run
    before = vault.find(run.conn, run.secrets, "RRN", [ONE])
    for name in ("vault", "index"):
        said = hanbeon("keys", "rotate", name, "--batch", "2")
        assert (said.code, f"version 2 of {name}" in said.out) == (0, True)
    listed = {
        (r["name"], r["version"]): (r["state"], r["rows"]) for r in json.loads(hanbeon("keys", "list", "--json").out)
    }
    rows = listed["vault", 2][1]
    assert rows >= listed["index", 2][1] >= 3
    assert listed == {
        ("ids", 1): ("current", None),
        ("index", 1): ("destroyed", 0),
        ("index", 2): ("current", listed["index", 2][1]),
        ("subject", 1): ("current", None),
        ("vault", 1): ("destroyed", 0),
        ("vault", 2): ("current", rows),
    }
    assert vault.find(run.conn, run.secrets, "RRN", [ONE]) == before
    assert json.loads(hanbeon("keys", "rotate", "vault", "--json").out) == {
        "name": "vault",
        "version": 3,
        "moved": rows,
        "is_resumed": False,
    }
    assert "vault" in hanbeon("keys", "list").out


def test_f47_old_keys_that_come_back_are_said(hanbeon: Hanbeon, own_lake: SmallLake) -> None:
    folder = own_lake.run.settings.keys_path
    shutil.copy(folder / "vault.key", folder.parent / "old")
    assert hanbeon("keys", "rotate", "vault").code == 0
    shutil.copy(folder.parent / "old", folder / "vault.key")
    said = hanbeon("keys", "list")
    assert (said.code, "PUT BACK" in said.out) == (1, True)
    assert "vault 1; an old copy of the keys was restored" in " ".join(hanbeon("doctor").out.split())
    (folder / "vault.2.key").unlink()
    said = hanbeon("keys", "list")
    assert (said.code, "Version 2 of the key vault" in said.err) == (1, True)


def test_keys_that_do_not_rotate_and_empty_batches_are_wrong_usage(hanbeon: Hanbeon) -> None:
    assert hanbeon("keys", "rotate", "subject").code == 2
    assert hanbeon("keys", "rotate", "vault", "--batch", "0").code == 2
