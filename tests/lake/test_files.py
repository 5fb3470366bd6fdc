"""Files that survive a power loss (F2)."""

import hashlib
import os
from pathlib import Path

import pytest

from lake import files


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that fsync was really called on, in order."""
    paths: list[str] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        paths.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    return paths


def test_a_file_is_synced_before_its_folders_up_to_the_root(tmp_path: Path, synced: list[str]) -> None:
    path = tmp_path / "gold" / "a" / "_key_bucket=0" / "part.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    files.sync_files([path], tmp_path)
    assert synced == [str(p) for p in (path, path.parent, path.parent.parent, tmp_path / "gold", tmp_path)]


def test_a_new_folder_is_durable_in_its_parent(tmp_path: Path, synced: list[str]) -> None:
    files.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert synced == [str(tmp_path), str(tmp_path / "a")]
    files.make_folder(tmp_path / "a" / "b")
    assert len(synced) == 2


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path, synced: list[str]) -> None:
    path = tmp_path / "log" / "pointer.json"
    files.write_durably(path, b"old")
    files.write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in path.parent.iterdir()] == ["pointer.json"]
    assert synced[-1] == str(path.parent)
    with pytest.raises(TypeError):
        files.write_durably(path, "not bytes")  # type: ignore[arg-type]
    assert [(p.name, p.read_bytes()) for p in path.parent.iterdir()] == [("pointer.json", b"new")]


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = os.urandom(3 * files.CHUNK + 7)
    (tmp_path / "x").write_bytes(content)
    assert files.sha256(tmp_path / "x") == hashlib.sha256(content).hexdigest()
