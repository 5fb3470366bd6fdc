"""Delta tables as the lake keeps them: readable by any Delta reader, no statistics, every version a file."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from hanbeon.errors import IntegrityError
from lake import tables
from lake.engine import duck
from lake.files import sha256
from lake.layout import commit_path, table_path

NAME = "gold/example"
LINE = pa.struct([pa.field("_line_no", pa.int32()), pa.field("NAME", pa.string())])
SCHEMA = pa.schema(
    [
        pa.field("_subject_key", pa.int64()),
        pa.field("_key_bucket", pa.int32()),
        pa.field("_hash", pa.binary()),
        pa.field("_at", pa.timestamp("us", tz="UTC")),
        pa.field("DAY", pa.date32()),
        pa.field("lines", pa.list_(LINE)),
    ]
)


def rows(*keys: int) -> pa.Table:
    at = datetime(2026, 6, 1, 12, 30, 15, 123456, tzinfo=UTC)
    return pa.Table.from_pylist(
        [
            {
                "_subject_key": k,
                "_key_bucket": k % 2,
                "_hash": bytes([k]) * 4,
                "_at": at,
                "DAY": at.date(),
                "lines": None if k == 3 else [{"_line_no": 1, "NAME": f"이름{k}"}, {"_line_no": 2, "NAME": None}],
            }
            for k in keys
        ],
        schema=SCHEMA,
    )


def write(root: Path, data: pa.Table, buckets: tuple[int, ...] | None = None, *, is_append: bool = False) -> None:
    if not tables.exists(root, NAME):
        tables.create(root, NAME, SCHEMA, True, {"intent_id": "0"}, 1)
    handle = tables.open_table(root, NAME)
    assert handle is not None
    number = (handle.transaction_version(tables.APP_ID) or 0) + 1
    tables.write(handle, tables.Write(data, buckets, is_append), {"intent_id": str(number)}, number)


def sorted_rows(table: pa.Table) -> pa.Table:
    return table.sort_by("_subject_key").combine_chunks()


def test_a_table_that_does_not_exist_or_is_empty_has_no_rows_but_its_columns(tmp_path: Path) -> None:
    assert tables.read(tmp_path, NAME, schema=SCHEMA).equals(SCHEMA.empty_table())
    tables.create(tmp_path, NAME, SCHEMA, True, {}, 1)
    assert tables.read(tmp_path, NAME, schema=SCHEMA).equals(SCHEMA.empty_table())
    assert (tables.version(tmp_path, NAME), tables.exists(tmp_path, NAME)) == (0, True)


def test_what_was_written_comes_back_with_exactly_the_schema(tmp_path: Path) -> None:
    """Bucket column, nested lines, NULL groups, binaries, microseconds."""
    write(tmp_path, rows(1, 2, 3))
    assert sorted_rows(tables.read(tmp_path, NAME, schema=SCHEMA)).equals(rows(1, 2, 3).combine_chunks())
    assert tables.read(tmp_path, NAME, schema=SCHEMA).schema.equals(SCHEMA)


def test_duckdb_reads_the_same_rows(tmp_path: Path) -> None:
    """Any Delta reader can read the lake."""
    write(tmp_path, rows(1, 2, 3))
    with duck() as engine:
        found = engine.execute("select * from delta_scan(?)", [str(table_path(tmp_path, NAME))]).to_arrow_table()
    assert sorted_rows(found.select(SCHEMA.names).cast(SCHEMA)).equals(rows(1, 2, 3).combine_chunks())


def test_a_bucket_is_replaced_whole_and_an_old_version_stays_readable(tmp_path: Path) -> None:
    write(tmp_path, rows(1, 2, 3))
    write(tmp_path, rows(5), (1,))
    assert tables.read(tmp_path, NAME, schema=SCHEMA).column("_subject_key").to_pylist() == [2, 5]
    assert tables.read(tmp_path, NAME, schema=SCHEMA, version=1).num_rows == 3
    write(tmp_path, SCHEMA.empty_table(), None)
    assert tables.read(tmp_path, NAME, schema=SCHEMA).num_rows == 0
    assert tables.versions(tmp_path, NAME) == [0, 1, 2, 3]


def test_only_the_files_of_the_buckets_asked_for_are_read(tmp_path: Path) -> None:
    write(tmp_path, rows(1, 2, 3))
    for path in (table_path(tmp_path, NAME) / "_key_bucket=0").iterdir():
        path.unlink()
    handle = tables.open_table(tmp_path, NAME)
    assert handle is not None
    found = tables.read_handle(handle, NAME, SCHEMA, {1})
    assert sorted(found.column("_subject_key").to_pylist()) == [1, 3]


def test_fewer_columns_and_columns_of_the_future_can_be_asked_for(tmp_path: Path) -> None:
    write(tmp_path, rows(1))
    wanted = pa.schema([pa.field("NEW", pa.string()), pa.field("_key_bucket", pa.int32())])
    assert tables.read(tmp_path, NAME, schema=wanted).to_pylist() == [{"NEW": None, "_key_bucket": 1}]


def test_the_log_has_row_counts_and_no_other_statistics(tmp_path: Path) -> None:
    """P8: the Delta log holds no value of a row."""
    write(tmp_path, rows(1, 2))
    write(tmp_path, rows(4), (0,))
    write(tmp_path, rows(6), is_append=True)
    log = b"".join(commit_path(tmp_path, NAME, v).read_bytes() for v in tables.versions(tmp_path, NAME))
    assert "이름".encode() not in log
    assert log.count(b"numRecords") == 4
    assert log.count(b'\\"minValues\\":{},\\"maxValues\\":{},\\"nullCount\\":{}') == 4
    assert {p.suffix for p in commit_path(tmp_path, NAME, 0).parent.iterdir()} == {".json"}


def test_a_missing_or_cut_data_file_is_an_error_and_not_an_answer(tmp_path: Path) -> None:
    """F8."""
    write(tmp_path, rows(1))
    path = table_path(tmp_path, NAME) / tables.added(tmp_path, NAME, 1)[0]["path"]
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert not tables.is_whole(tmp_path, NAME, 1)
    with pytest.raises(IntegrityError, match="cannot be read"):
        tables.read(tmp_path, NAME, schema=SCHEMA)
    path.unlink()
    assert not tables.is_whole(tmp_path, NAME, 1)
    with pytest.raises(IntegrityError, match="missing"):
        tables.read(tmp_path, NAME, schema=SCHEMA)
    path.write_bytes(content)
    assert tables.is_whole(tmp_path, NAME, 1)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'"text"\n'])
def test_a_damaged_commit_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    """F8: deltalake takes an empty one for an empty commit."""
    write(tmp_path, rows(1))
    commit_path(tmp_path, NAME, 1).write_bytes(content)
    with pytest.raises(IntegrityError, match="version 1"):
        tables.commit_actions(tmp_path, NAME, 1)


def test_only_the_newest_commit_can_be_taken_out(tmp_path: Path) -> None:
    write(tmp_path, rows(1))
    with pytest.raises(IntegrityError):
        tables.remove_newest_commit(tmp_path, NAME, 0)
    tables.remove_newest_commit(tmp_path, NAME, 1)
    assert tables.versions(tmp_path, NAME) == [0]


def test_the_files_of_a_version_are_named_with_hash_and_rows(tmp_path: Path) -> None:
    write(tmp_path, rows(1, 2, 3))
    added = tables.added_files(tmp_path, NAME, 1)
    assert sorted(f.rows for f in added) == [1, 2]
    assert all(f.sha256 == sha256(table_path(tmp_path, NAME) / f.path) for f in added)
