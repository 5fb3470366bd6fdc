"""Whose rows a version holds: roots, and what was kept of old versions after their files are gone."""

from pathlib import Path

import pyarrow as pa
import pytest

from consent import merkle
from lake import erase, layout, subjects, tables
from lake.tables import Write

SCHEMA = pa.schema([("_subject_key", pa.int64()), ("_key_bucket", pa.int32()), ("NM", pa.string())])
NAME = "bronze/mois/resident_register"


def blinding(bucket: int) -> bytes:
    return bytes([bucket]) * 32


def rows(*keys: int) -> pa.Table:
    return pa.table([list(keys), [k % 2 for k in keys], ["김하나"] * len(keys)], schema=SCHEMA)


def blinded(*keys: int) -> dict[int, frozenset[bytes]]:
    found: dict[int, set[bytes]] = {}
    for key in keys:
        own = subjects.blind(blinding(key % 2), key.to_bytes(8, "big", signed=True))
        found.setdefault(key % 2, set()).add(own)
    return {bucket: frozenset(some) for bucket, some in found.items()}


def change(root: Path, buckets: tuple[int, ...], *keys: int) -> int:
    handle = tables.open_table(root, NAME)
    assert handle is not None
    tables.write(handle, Write(rows(*keys), buckets, False), {}, int(handle.version()) + 2)
    version = tables.version(root, NAME)
    assert version is not None
    return version


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tables.create(tmp_path, NAME, SCHEMA, True, {}, 1)
    assert subjects.note(tmp_path, NAME, 0, blinding) == {}
    return tmp_path


def test_the_owners_of_every_version_are_kept_when_its_files_are_gone(root: Path) -> None:
    history = {0: blinded()}
    steps = [((0, 1), (1, 2, 3, 4)), ((0,), (2, 4, 6)), ((1,), ()), ((0, 1), (-5, 8))]
    for buckets, keys in steps:
        version = change(root, buckets, *keys)
        history[version] = subjects.note(root, NAME, version, blinding)
    assert history[1] == blinded(1, 2, 3, 4)
    assert history[2] == blinded(1, 2, 3, 4, 6)
    assert history[3] == blinded(2, 4, 6)
    assert history[4] == blinded(-5, 8)
    assert erase.purge(root, NAME) > 0
    assert {v: subjects.kept(root, NAME, v) for v in history} == history
    assert subjects.kept(root, NAME, 5) is None


def test_noting_a_version_again_keeps_the_same(root: Path) -> None:
    change(root, (0, 1), 1, 2)
    first = subjects.note(root, NAME, 1, blinding)
    path = layout.subjects_path(root, NAME, 1)
    content = path.read_bytes()
    assert subjects.note(root, NAME, 1, blinding) == first
    assert path.read_bytes() == content


def test_where_nothing_was_kept_the_files_say_it(root: Path) -> None:
    change(root, (0, 1), 1, 2)
    layout.subjects_path(root, NAME, 0).unlink()
    assert subjects.note(root, NAME, 1, blinding) == blinded(1, 2)
    assert subjects.kept(root, NAME, 1) == blinded(1, 2)


def test_many_versions_are_read_back_from_a_few_files(root: Path) -> None:
    for number in range(1, subjects.WHOLE_EACH + 3):
        version = change(root, (0, 1), *range(number % 7 + 1))
        subjects.note(root, NAME, version, blinding)
        assert subjects.kept(root, NAME, version) == blinded(*range(number % 7 + 1))
    for number in range(subjects.WHOLE_EACH):
        layout.subjects_path(root, NAME, number).unlink()
    assert subjects.kept(root, NAME, subjects.WHOLE_EACH + 2) is not None


def test_the_root_is_over_the_sorted_owners_of_a_bucket() -> None:
    held = blinded(1, 3, 5, 2)
    found = subjects.roots(held)
    assert {bucket: one.count for bucket, one in found.items()} == {0: 1, 1: 3}
    assert found[1].root == merkle.root([merkle.leaf_hash(b) for b in sorted(held[1])])
