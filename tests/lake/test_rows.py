"""Row trees: what DuckDB hashes of a whole file is what plain Python says of each row (docs/proof.md, section 3)."""

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent import merkle
from hanbeon.errors import IntegrityError
from lake import row_text, rows

LINE = pa.struct([("_line_no", pa.int32()), ("nm", pa.string()), ("amt", pa.int64()), ("_person_key", pa.int64())])
SCHEMA = pa.schema(
    [
        ("_subject_key", pa.int64()),
        ("_evidence_id", pa.string()),
        ("_source_record_hash", pa.binary()),
        ("_observed_at", pa.timestamp("us", tz="UTC")),
        ("_is_deleted", pa.bool_()),
        ("SELF_FLNM", pa.string()),
        ("AMT", pa.int64()),
        ("RT", pa.decimal128(9, 2)),
        ("DAY", pa.date32()),
        ("codes", pa.list_(pa.string())),
        ("lines", pa.list_(LINE)),
    ]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
BIG = st.integers(-(2**63), 2**63 - 1)
LINES = st.fixed_dictionaries(
    {
        "_line_no": st.none() | st.integers(-(2**31), 2**31 - 1),
        "nm": st.none() | TEXTS,
        "amt": st.none() | BIG,
        "_person_key": st.none() | BIG,
    }
)
ROWS = st.fixed_dictionaries(
    {
        "_subject_key": BIG,
        "_evidence_id": st.none() | TEXTS,
        "_source_record_hash": st.none() | st.binary(max_size=8),
        "_observed_at": st.none()
        | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda d: d.replace(tzinfo=UTC)),
        "_is_deleted": st.none() | st.booleans(),
        "SELF_FLNM": st.none() | TEXTS,
        "AMT": st.none() | BIG,
        "RT": st.none() | st.integers(-999_999_999, 999_999_999).map(lambda n: Decimal(n).scaleb(-2)),
        "DAY": st.none() | st.dates(date(1000, 1, 1), date(9999, 12, 31)),
        "codes": st.none() | st.lists(st.none() | TEXTS, max_size=3),
        "lines": st.none() | st.lists(st.none() | LINES, max_size=3),
    }
)


def secret_of(owner: bytes) -> bytes:
    return hashlib.sha256(b"secret" + owner).digest()


def written(found: list[dict[str, Any]], folder: Path, schema: pa.Schema = SCHEMA) -> Path:
    path = folder / "part.parquet"
    pq.write_table(pa.Table.from_pylist(found, schema=schema), path)
    return path


def plainly(row: dict[str, Any], number: int, schema: pa.Schema = SCHEMA) -> bytes:
    owner = rows.owner_bytes(row.get("_subject_key", row.get("_pairwise_id")))
    pipeline, content = row_text.parts(row, schema, secret_of(owner), "b/part.parquet", number)
    return row_text.leaf_hash(pipeline.commitment, content.commitment)


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ROWS, max_size=8))
def test_the_fast_way_says_what_the_plain_way_says(tmp_path: Path, found: list[dict[str, Any]]) -> None:
    path = written(found, tmp_path)
    secrets = {owner: secret_of(owner) for owner in rows.owners(path)}
    assert rows.leaf_hashes(path, "b/part.parquet", secrets) == [plainly(r, n) for n, r in enumerate(found)]


def test_a_share_s_rows_belong_to_pairwise_ids(tmp_path: Path) -> None:
    schema = pa.schema([("_pairwise_id", pa.binary()), ("_evidence_id", pa.string()), ("SELF_FLNM", pa.string())])
    found = [{"_pairwise_id": bytes([n]) * 16, "_evidence_id": "e", "SELF_FLNM": "김하나"} for n in range(3)]
    path = written(found, tmp_path, schema)
    assert rows.owners(path) == {bytes([n]) * 16 for n in range(3)}
    secrets = {owner: secret_of(owner) for owner in rows.owners(path)}
    assert rows.leaf_hashes(path, "b/part.parquet", secrets) == [plainly(r, n, schema) for n, r in enumerate(found)]


def test_the_text_is_the_one_of_the_documentation() -> None:
    """A value known by heart, so that both ways cannot drift together."""
    shown = {
        "B": None,
        "A": "김",
        "C": row_text.value_text([{"b": 1, "a": None}], pa.list_(pa.struct([("b", pa.int32()), ("a", pa.string())]))),
    }
    assert row_text.text(shown) == "1:A,3:김,1:B,-,1:C,18:14:1:a,-,1:b,1:1,,,"
    secret = bytes(range(32))
    salt = hashlib.sha256(secret + hashlib.sha256(b"f").digest() + (5).to_bytes(8, "big") + b"\x01").digest()
    assert row_text.salt(secret, "f", 5, row_text.CONTENT) == salt


def test_a_missing_secret_is_an_error_and_not_an_empty_salt(tmp_path: Path) -> None:
    path = written([dict.fromkeys(SCHEMA.names) | {"_subject_key": 1}], tmp_path)
    with pytest.raises(IntegrityError, match="secret"):
        rows.leaf_hashes(path, "b/part.parquet", {})


def test_a_row_of_nobody_is_refused(tmp_path: Path) -> None:
    path = written([dict.fromkeys(SCHEMA.names)], tmp_path)
    with pytest.raises(IntegrityError, match="no owner"):
        rows.owners(path)


def test_one_row_leads_to_the_root(tmp_path: Path) -> None:
    found = [dict.fromkeys(SCHEMA.names) | {"_subject_key": n, "SELF_FLNM": f"이름{n}"} for n in range(5)]
    path = written(found, tmp_path)
    hashes = rows.leaf_hashes(path, "b/part.parquet", {o: secret_of(o) for o in rows.owners(path)})
    root = merkle.root(hashes)
    for number, row in enumerate(found):
        leaf = plainly(row, number)
        assert merkle.root_of_path(leaf, number, 5, merkle.path(hashes, number)) == root
        assert merkle.root_of_path(plainly(row | {"AMT": 0}, number), number, 5, merkle.path(hashes, number)) != root
