"""Names, paths and buckets of the lake."""

from pathlib import Path

import pyarrow as pa
import pytest

from hanbeon.errors import UsageError
from lake import layout

ROOT = Path("/lake")


@pytest.mark.parametrize(
    "name",
    ["bronze/mois/resident_register", "gold/income_certificate__lines", "shares/mogef/income_certificate", "ops/runs"],
)
def test_a_table_lies_where_its_name_says(name: str) -> None:
    assert layout.table_path(ROOT, name) == ROOT / name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "gold",
        "gold/a/b",
        "bronze/mois",
        "staging/x",
        "gold/..",
        "gold/../x",
        "gold/A",
        "/gold/x",
        "gold/x/",
        "gold/한",
        "gold/a b",
    ],
)
def test_a_name_that_leads_anywhere_else_is_refused(name: str) -> None:
    """F26."""
    with pytest.raises(UsageError):
        layout.table_path(ROOT, name)


def test_a_table_is_found_by_its_log(tmp_path: Path) -> None:
    for name in ("gold/b", "bronze/mois/a"):
        layout.log_path(tmp_path, name).mkdir(parents=True)
    (tmp_path / "gold" / "no_table").mkdir()
    assert layout.table_names(tmp_path) == ["bronze/mois/a", "gold/b"]


def test_every_key_has_one_bucket_that_is_never_negative() -> None:
    keys = pa.chunked_array([[-(2**63), -1], [0, 1, 7, 2**63 - 1]], pa.int64())
    buckets = layout.key_bucket(keys, 4)
    assert buckets.type == pa.int32()
    assert buckets.to_pylist() == [0, 3, 0, 1, 3, 3]
    assert layout.key_bucket(keys, 1).to_pylist() == [0] * 6
    assert len(layout.key_bucket(pa.array([], pa.int64()), 4)) == 0


def test_a_row_without_subject_has_no_bucket() -> None:
    with pytest.raises(UsageError):
        layout.key_bucket(pa.array([1, None], pa.int64()), 4)
    with pytest.raises(UsageError):
        layout.key_bucket(pa.array([1], pa.int64()), 0)
