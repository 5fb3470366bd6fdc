"""What packed files and database files say beyond their raw bytes, as byte strings to search.

In: a path. Out: (chunk, overlap) pairs as `lake.contents` gives them: the members of a zip, what a gzip file unpacks
to, every value of a DuckDB or SQLite database, whose pages are compressed or cut values in two. By what the file is,
not by its name. Memory stays within a few chunks.
"""

import gzip
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import duckdb

from lake.contents import CHUNK, Unreadable

GZIP, ZIP, SQLITE, DUCKDB = b"\x1f\x8b", b"PK\x03\x04", b"SQLite format 3\x00", b"DUCK"
ROWS = 5_000
Chunks = Iterator[tuple[bytes, int]]


def unpacked(path: Path, overlap: int) -> Chunks:
    """Nothing for a file of another kind. Raises Unreadable when it is damaged, FileNotFoundError when it goes away."""
    read = _reader(path)
    if read is None:
        return
    try:
        yield from read(path, overlap)
    except FileNotFoundError:
        raise
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, sqlite3.Error, duckdb.Error) as error:
        raise Unreadable from error


def _reader(path: Path) -> Callable[[Path, int], Chunks] | None:
    with path.open("rb") as file:
        start = file.read(16)
    kinds = {GZIP: _gzip, ZIP: _zip, SQLITE: _sqlite}
    known = next((read for magic, read in kinds.items() if start.startswith(magic)), None)
    return _duckdb if start[8:12] == DUCKDB else known


def _stream(file: IO[bytes] | gzip.GzipFile, overlap: int) -> Chunks:
    kept = b""
    while chunk := file.read(CHUNK):
        text = kept + chunk
        yield text, len(kept)
        kept = text[-overlap:] if overlap else b""


def _gzip(path: Path, overlap: int) -> Chunks:
    with gzip.open(path) as file:
        yield from _stream(file, overlap)


def _zip(path: Path, overlap: int) -> Chunks:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            yield member.filename.encode(), 0
            with archive.open(member) as file:
                yield from _stream(file, overlap)


def _sqlite(path: Path, _overlap: int) -> Chunks:
    conn = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    conn.text_factory = bytes
    try:
        names = [row[0].decode() for row in conn.execute("select name from sqlite_master where type = 'table'")]
        for name in names:
            found = conn.execute(f"select * from {_quoted(name)}")
            while rows := found.fetchmany(ROWS):
                yield _joined(rows), 0
    finally:
        conn.close()


def _duckdb(path: Path, _overlap: int) -> Chunks:
    with duckdb.connect(str(path), read_only=True) as conn:
        found = conn.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        for schema, name in found:
            rows_of = conn.execute(f"select columns(*)::varchar from {_quoted(schema)}.{_quoted(name)}")
            while rows := rows_of.fetchmany(ROWS):
                yield _joined(rows), 0


def _joined(rows: list[tuple[object, ...]]) -> bytes:
    values = (value for row in rows for value in row if value is not None)
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
