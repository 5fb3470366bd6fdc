"""Look for bytes that must be nowhere: a scan of every file under a root, compressed pages included.

In: a root and needles (identifiers, evidence ids, names). Out: findings, by file and needle number, never the value.
Parquet files are read raw and decoded, so that a value in a compressed page, a dictionary or a statistic is found;
every other file (Delta logs, SQLite, JSON, logs) is read raw. Integers are looked for in decimal in decoded columns.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

CHUNK = 8 << 20


@dataclass(frozen=True)
class Finding:
    """`needle` is the number of the needle in the order given; the value itself is never told."""

    path: Path
    needle: int
    count: int


def scan(root: Path, needles: Sequence[str]) -> list[Finding]:
    """Where any of the needles occurs under `root`: as UTF-8, as UTF-16, and with a hyphen after the sixth of 13 digits."""
    patterns = [form for n in needles for form in forms(n)]
    numbers = [number for number, n in enumerate(needles) for _ in forms(n)]
    findings: list[Finding] = []
    if not patterns:
        return findings
    automaton = pl.Series([p.decode("latin-1") for p in patterns])
    owner = dict(zip([p.decode("latin-1") for p in patterns], numbers, strict=True))
    overlap = max(len(p) for p in patterns)
    for path in sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink()):
        counted: dict[int, int] = {}
        for text in texts(path, overlap):
            hits = pl.Series([text.decode("latin-1")]).str.extract_many(automaton).to_list()[0] or []
            for hit in hits:
                counted[owner[hit]] = counted.get(owner[hit], 0) + 1
        findings += [Finding(path, number, count) for number, count in sorted(counted.items())]
    return findings


def forms(needle: str) -> list[bytes]:
    """The ways in which a value may be written down."""
    written = [needle]
    if len(needle) == 13 and needle.isdigit():
        written.append(f"{needle[:6]}-{needle[6:]}")
    return [w.encode(e) for w in written for e in ("utf-8", "utf-16-le")]


def texts(path: Path, overlap: int) -> Iterator[bytes]:
    """A file's bytes in chunks that overlap, then, for a Parquet file, its decoded values."""
    with path.open("rb") as file:
        kept = b""
        while chunk := file.read(CHUNK):
            yield kept + chunk
            kept = (kept + chunk)[-overlap:]
    if ".parquet" in path.name:
        yield from _decoded(path)


def _decoded(path: Path) -> Iterator[bytes]:
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=20_000):
                for column in batch.columns:
                    yield b"\n".join(_values(column))
    except pa.ArrowInvalid:
        return  # a killed writer's file has no footer; its raw bytes were read


def _values(column: pa.Array) -> Iterable[bytes]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            yield from _values(column.field(index))
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _values(column.flatten())
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield from (v.encode("utf-8", "surrogatepass") for v in column.drop_null().to_pylist())
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        yield from column.drop_null().to_pylist()
    elif pa.types.is_integer(kind):
        yield from (str(v).encode() for v in column.drop_null().to_pylist())
