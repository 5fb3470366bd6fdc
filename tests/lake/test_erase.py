"""What must go, goes; and what must be nowhere is found wherever it is (P4, It must show 2)."""

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake import erase, tables
from lake.contents import CHUNK
from lake.needles import Needles
from tests.lake.test_tables import NAME, SCHEMA, rows, write

NUMBER = "9021311234567"  # month + 20: nobody's
NUMBERS = [f"90{21 + i % 12:02d}{1 + i % 28:02d}{i:07d}" for i in range(50_000)]


def found(root: Path, *needles: str | bytes) -> list[tuple[str, int, int]]:
    return [(f.path.relative_to(root).as_posix(), f.needle, f.count) for f in erase.scan(root, needles)]


@pytest.mark.parametrize(
    "written",
    [NUMBER.encode(), f"{NUMBER[:6]}-{NUMBER[6:]}".encode(), NUMBER.encode("utf-16-le"), NUMBER.encode("utf-16-be")],
    ids=["plain", "hyphen", "UTF-16 little endian", "UTF-16 big endian"],
)
@pytest.mark.parametrize("before", [0, 1, CHUNK - 5, CHUNK], ids=["start", "odd", "across chunks", "second chunk"])
def test_a_number_is_found_in_any_file_however_it_is_written(tmp_path: Path, written: bytes, before: int) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file.log").write_bytes(b"." * before + written + b"end")
    (tmp_path / "clean").write_bytes(NUMBER[:-1].encode() + b"8" + NUMBER[1:].encode())
    assert found(tmp_path, "9021311234000", NUMBER) == [("deep/file.log", 1, 1)]


def test_values_are_found_in_compressed_pages_in_lines_and_in_old_versions(tmp_path: Path) -> None:
    name, other = "가나다라마바사" * 3, "하파타카차자아" * 3
    table = pa.table(
        {
            "text": [name] * 1_000,
            "key": pa.array([-5_000_000_000_123] * 1_000, pa.int64()),
            "lines": pa.array([[{"NAME": other}]] * 1_000, pa.list_(pa.struct([pa.field("NAME", pa.string())]))),
            "raw": pa.array([b"\x00\x01\x02\xfe\xff\x03\x04\x05"] * 1_000, pa.binary()),
        }
    )
    path = tmp_path / "part.zstd.parquet"
    pq.write_table(table, path, compression="zstd", write_statistics=False)
    content = path.read_bytes()
    assert sum(content.count(n.encode()) for n in (name, other)) < 10, "the pages are not compressed"
    key = (-5_000_000_000_123).to_bytes(8, "little", signed=True)
    needles = (name, "-5000000000123", other, key, table["raw"][0].as_py())
    hits = {needle: count for _, needle, count in found(tmp_path, *needles)}
    assert {n for n, count in hits.items() if count >= 1_000} == {0, 1, 2, 3, 4}
    assert found(tmp_path, "가나다라마바사아", "5000000000124") == []


def test_a_parquet_file_that_cannot_be_decoded_is_not_vouched_for(tmp_path: Path) -> None:
    """A killed writer's leftovers may hold anything."""
    (tmp_path / "part.parquet#1").write_bytes(b"PAR1 cut off")
    assert found(tmp_path, NUMBER) == [("part.parquet#1", erase.UNREADABLE, 1)]


def test_fifty_thousand_needles_are_looked_for_at_once(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(1 << 20)
    (tmp_path / "noise").write_bytes(noise + NUMBERS[49_999].encode() + noise + NUMBERS[0].encode())
    (tmp_path / "digits").write_bytes("".join(n[:12] + "x" for n in NUMBERS).encode())
    assert found(tmp_path, *NUMBERS) == [("noise", 0, 1), ("noise", 49_999, 1)]


def test_nothing_to_look_for_is_found_nowhere(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    assert erase.scan(tmp_path, []) == []
    with pytest.raises(ValueError, match="everywhere"):
        erase.scan(tmp_path, ["x", ""])


@given(
    needles=st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=8, unique=True),
    parts=st.lists(st.one_of(st.binary(max_size=12), st.integers(0, 7)), max_size=12),
    cut=st.integers(0, 200),
)
def test_counting_agrees_with_a_naive_search_also_over_a_cut(
    needles: list[bytes], parts: list[bytes | int], cut: int
) -> None:
    """Every occurrence counts once, overlapping ones too, wherever a chunk ends."""
    text = b"".join(needles[p % len(needles)] if isinstance(p, int) else p for p in parts)
    sought = Needles(needles)
    naive = {
        i: sum(text.startswith(n, at) for at in range(len(text)) if len(n) >= 4 or text.find(n) >= 0)
        for i, n in enumerate(needles)
        if n in text and len(n) >= 4
    }
    cut = min(cut, len(text))
    kept = text[max(0, cut - sought.longest + 1) : cut]
    counted = sought.count(text[:cut])
    for number, count in sought.count(kept + text[cut:], len(kept)).items():
        counted[number] = counted.get(number, 0) + count
    assert {i: c for i, c in counted.items() if len(needles[i]) >= 4} == naive
    assert {i for i in counted if len(needles[i]) < 4} == {i for i, n in enumerate(needles) if len(n) < 4 and n in text}


def test_purging_leaves_only_what_the_newest_version_uses(tmp_path: Path) -> None:
    """P4: old versions keep no rows; the log stays, hash by hash."""
    write(tmp_path, rows(1, 2))
    write(tmp_path, rows(4), (0,))
    log = {p: p.read_bytes() for p in tmp_path.rglob("*.json")}
    assert [f.needle for f in erase.scan(tmp_path, ["이름2"])] == [0]
    assert erase.purge(tmp_path, NAME) == 1
    assert erase.scan(tmp_path, ["이름2"]) == []
    assert sorted(tables.read(tmp_path, NAME, schema=SCHEMA).column("_subject_key").to_pylist()) == [1, 4]
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.json")} == log
    assert erase.purge(tmp_path, NAME) == 0
    assert erase.purge(tmp_path, "gold/never_made") == 0


def test_sweeping_leaves_what_any_version_uses(tmp_path: Path) -> None:
    write(tmp_path, rows(1, 2))
    write(tmp_path, rows(4), (0,))
    folder = tmp_path / NAME
    (folder / "_key_bucket=0" / "part-dead.parquet#1").write_bytes(b"x")
    (folder / "_delta_log" / "00000000000000000003.json#1").write_bytes(b"x")
    assert erase.sweep(tmp_path, NAME) == 2
    assert tables.read(tmp_path, NAME, schema=SCHEMA, version=1).num_rows == 2
