"""A copy of the lake from before an erasure comes back: no reader sees an erased row, and somebody is told (F9, P5)."""

import shutil
from pathlib import Path

import pytest

from hanbeon.errors import IntegrityError
from lake import layout
from pipeline import reading
from pipeline.erase import erase
from pipeline.recover import recover
from schemas.contract import gold
from tests.pipeline.test_forgetting import leave_for_good
from tests.small_lake import SmallLake

GOLD = "gold/family_relation_certificate"
SCHEMA = gold("family_relation_certificate").gold_schema


def erased_with_a_copy(lake: SmallLake, copy: Path) -> Path:
    folder = layout.table_path(lake.run.settings.lake_root, GOLD)
    shutil.copytree(folder, copy)
    leave_for_good(lake, lake.two)
    erase(lake.run)
    assert holders_of(folder, lake.two.name) == []
    return folder


def holders_of(folder: Path, name: str) -> list[Path]:
    return [path for path in folder.rglob("*.parquet") if name.encode() in path.read_bytes()]


def test_f9_a_folder_put_in_the_place_of_the_table_closes_it_and_recovery_names_it(
    own_lake: SmallLake, tmp_path: Path
) -> None:
    folder = erased_with_a_copy(own_lake, tmp_path / "copy")
    newer = tmp_path / "newer"
    folder.rename(newer)
    shutil.copytree(tmp_path / "copy", folder)
    assert holders_of(folder, own_lake.two.name)
    with pytest.raises(IntegrityError, match="closed to readers"):
        reading.read(own_lake.run, GOLD, SCHEMA)
    with pytest.raises(IntegrityError, match=GOLD):
        recover(own_lake.run)
    with pytest.raises(IntegrityError, match=GOLD):
        erase(own_lake.run)
    shutil.rmtree(folder)
    newer.rename(folder)  # what docs/erasing.md tells the operator to do
    recover(own_lake.run)
    keys = reading.read(own_lake.run, GOLD, SCHEMA).column("_subject_key").to_pylist()
    assert own_lake.two.key not in keys
    assert own_lake.one.key in keys


def test_f9_old_files_put_back_beside_the_newer_ones_show_nothing_and_go_again(
    own_lake: SmallLake, tmp_path: Path
) -> None:
    folder = erased_with_a_copy(own_lake, tmp_path / "copy")
    shutil.copytree(tmp_path / "copy", folder, dirs_exist_ok=True)
    assert holders_of(folder, own_lake.two.name)
    assert own_lake.two.key not in reading.read(own_lake.run, GOLD, SCHEMA).column("_subject_key").to_pylist()
    summary = erase(own_lake.run)
    assert summary.counts["rows_removed"] == 1
    assert summary.counts["certificate"] > 0
    assert holders_of(folder, own_lake.two.name) == []
