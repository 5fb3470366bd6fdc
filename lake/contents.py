"""Everything that a file says, as byte strings to search: its raw bytes, then, of a Parquet file, its decoded values.

In: a path. Out: (chunk, overlap) pairs; the first `overlap` bytes of a chunk were the end of the one before, so that no
value is cut in two. Memory stays within a few chunks, whatever the file's size (F12).
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

CHUNK = 4 << 20
ROWS = 50_000


class Unreadable(Exception):
    """A Parquet file whose compressed pages cannot be decoded, so that nobody can say what it holds."""


def contents(path: Path, overlap: int) -> Iterator[tuple[bytes, int]]:
    """Raises Unreadable after the raw bytes, FileNotFoundError when the file goes away."""
    yield from _raw(path, overlap)
    if ".parquet" in path.name:
        yield from _decoded(path)


def _raw(path: Path, overlap: int) -> Iterator[tuple[bytes, int]]:
    with path.open("rb") as file:
        kept = b""
        while chunk := file.read(CHUNK):
            text = kept + chunk
            yield text, len(kept)
            kept = text[-overlap:] if overlap else b""


def _decoded(path: Path) -> Iterator[tuple[bytes, int]]:
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=ROWS):
                yield b"\n".join(part for column in batch.columns for part in _parts(column)), 0
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise Unreadable from error


def _parts(column: pa.Array) -> Iterator[bytes]:
    """A column's values, nested ones too: texts and binaries apart by a line feed, numbers raw and in decimal."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        yield from _parts(column.dictionary_decode())
    elif pa.types.is_map(kind):
        yield from _parts(column.keys)
        yield from _parts(column.items)
    elif pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            yield from _parts(column.field(index))
    elif pa.types.is_nested(kind):
        yield from _parts(column.flatten())
    elif pa.types.is_null(kind) or pa.types.is_boolean(kind):
        return
    else:
        yield from _flat(column)


def _flat(column: pa.Array) -> Iterator[bytes]:
    values = column.drop_null()
    if pa.types.is_integer(values.type):
        values = values.cast(pa.int64(), safe=False)
        yield values.to_numpy(zero_copy_only=False).tobytes()
    if not (pa.types.is_large_binary(values.type) or pa.types.is_binary(values.type) or _is_fixed(values.type)):
        values = values.cast(pa.large_string())
    yield b"\n".join(values.cast(pa.large_binary()).to_pylist())


def _is_fixed(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_binary(kind))
