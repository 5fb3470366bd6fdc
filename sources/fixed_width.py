"""Fixed-width records: where a contract puts its fields, and which blocks of a file belong to whom.

A record is `recordBytes` bytes and a newline; positions are bytes, not characters. A header record starts a document,
the line records that follow belong to it and repeat its identifier. `scan` walks a file in chunks as matrices of bytes:
it hashes everything, looks only at the headers' identifiers, and remembers where the asked blocks lie. Nothing else of
the file is decoded or kept (P2).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.column import Column, Group
from schemas.contract import Contract
from sources.bounds import Deadline
from sources.conform import Poison

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
CHUNK_RECORDS = 16_384
NEWLINE = 0x0A
FLAGS = {"Y": True, "1": True, "N": False, "0": False}


@dataclass(frozen=True)
class Span:
    """Where a field lies in a record, in bytes."""

    start: int
    length: int

    @property
    def end(self) -> int:
        return self.start + self.length

    def of(self, record: bytes) -> bytes:
        return record[self.start : self.end]


@dataclass(frozen=True)
class Layout:
    record_bytes: int
    encoding: str
    kind: Span
    header_kind: bytes
    identifier: Span
    record_id: Span
    changed_at: Span
    deleted: Span | None
    groups: Mapping[bytes, Group]

    @property
    def stride(self) -> int:
        return self.record_bytes + 1

    def text(self, record: bytes, span: Span) -> str | None:
        """A field without its padding; None when blank. Raises Poison."""
        try:
            return span.of(record).rstrip(b" ").decode(self.encoding) or None
        except UnicodeDecodeError:
            raise Poison("undecodable") from None

    def value(self, record: bytes, column: Column) -> object:
        text = self.text(record, span_of(column))
        if text is None or column.logical_type in ("string", "number"):
            return text
        if column.logical_type == "boolean":
            return FLAGS.get(text, text)
        return int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) else text


@dataclass
class Scan:
    """What one pass over a file found. `blocks` are the asked documents: rows of [first record, records, who]."""

    digest: str = ""
    records: int = 0
    headers: int = 0
    orphans: int = 0
    size: int = 0
    is_aligned: bool = True
    sample: list[bytes] = field(default_factory=list, repr=False)
    blocks: list[Numbers] = field(default_factory=list, repr=False)

    def found(self) -> Numbers:
        return np.concatenate(self.blocks) if self.blocks else np.empty((0, 3), np.int64)


def layout(contract: Contract) -> Layout:
    d = contract.delivery

    def span(key: str) -> Span:
        return Span(*d[key])

    return Layout(
        record_bytes=int(d["recordBytes"]),
        encoding=str(d["encoding"]),
        kind=span("kindBytes"),
        header_kind=str(d["headerKind"]).encode("ascii"),
        identifier=span("identifierBytes"),
        record_id=span("recordIdBytes"),
        changed_at=span("changedAtBytes"),
        deleted=span("deletedBytes") if "deletedBytes" in d else None,
        groups={str(g.delivery["kind"]).encode("ascii"): g for g in contract.groups},
    )


def span_of(column: Column) -> Span:
    return Span(*column.delivery["bytes"])


def scan(file: BinaryIO, shape: Layout, identifiers: pa.Array, limit: Deadline) -> Scan:
    """Hash a file and find the blocks whose header names one of `identifiers` (distinct; `who` is its index)."""
    width = shape.identifier.length
    wanted = pa.array([i.encode("ascii", "replace").ljust(width) for i in identifiers.to_pylist()])
    wanted = pc.if_else(pc.equal(pc.binary_length(wanted), width), wanted, None).cast(pa.binary(width))
    found, sha = Scan(), hashlib.sha256()
    buffer = bytearray(CHUNK_RECORDS * shape.stride)
    view = memoryview(buffer)
    is_open = False  # whether the last document is asked for and goes on in the next chunk
    while filled := _fill(file, view):
        limit.remaining()
        sha.update(view[:filled])
        found.size += filled
        if found.is_aligned:
            found.is_aligned = filled % shape.stride == 0
        if found.is_aligned:
            matrix = np.frombuffer(view[:filled], np.uint8).reshape(-1, shape.stride)
            found.is_aligned = bool((matrix[:, shape.record_bytes] == NEWLINE).all())
            is_open = _find(matrix, shape, wanted, found, is_open)
    found.digest = sha.hexdigest()
    return found


def _fill(file: BinaryIO, view: memoryview) -> int:
    """Fill the buffer as far as the file goes: a short read is not the end."""
    filled = 0
    while filled < len(view) and (got := file.readinto(view[filled:])):  # type: ignore[attr-defined]
        filled += got
    return filled


def _find(matrix: Bytes, shape: Layout, wanted: pa.Array, found: Scan, is_open: bool) -> bool:
    first, rows = found.records, len(matrix)
    kinds = matrix[:, shape.kind.start : shape.kind.end]
    starts = np.flatnonzero((kinds == np.frombuffer(shape.header_kind, np.uint8)).all(axis=1)).astype(np.int64)
    before = int(starts[0]) if len(starts) else rows
    if is_open:
        found.blocks[-1][-1, 1] += before
    elif found.headers == 0:
        found.orphans += before
    found.records += rows
    found.headers += len(starts)
    if not len(starts):
        return is_open
    names = np.ascontiguousarray(matrix[starts, shape.identifier.start : shape.identifier.end])
    if len(found.sample) < CHUNK_RECORDS:
        found.sample += [row.tobytes() for row in names[:1000]]
    array = pa.Array.from_buffers(pa.binary(shape.identifier.length), len(names), [None, pa.py_buffer(names)])
    who = pc.index_in(array, value_set=wanted).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    lengths = np.diff(np.append(starts, rows))
    is_asked = who >= 0
    if is_asked.any():
        found.blocks.append(np.stack([starts + first, lengths, who], axis=1)[is_asked])
    return bool(is_asked[-1])
