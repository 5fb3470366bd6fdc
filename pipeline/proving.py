"""Prove one row, or that somebody had none, from the lake's files and the secrets that only the operator holds.

In: a table and an evidence id; or a table and an owner. Out: a `RowProof` (the row's two parts with their salts, and
the path to the root in its commit's leaf), or the neighbours between which an absent owner would stand in each version
(docs/proof.md, section 5). What is shown of the content, and where a commit stands in the log, is the packer's part.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from consent import journal, merkle, owners
from consent.journal import File, Leaf
from hanbeon.errors import IntegrityError, UsageError
from lake import layout, row_text, rows, subjects, tables
from pipeline.run import Run


@dataclass(frozen=True)
class RowProof:
    """One row of one data file, and how it leads to the root that its commit's leaf names."""

    table: str
    version: int  # that wrote the file
    sequence: int  # of the commit's leaf
    file: str
    row: int
    file_rows: int
    row_path: tuple[bytes, ...]
    pipeline: row_text.Part
    content: row_text.Part
    values: dict[str, Any]


@dataclass(frozen=True)
class Neighbour:
    """A blinded owner at its place in a bucket's order, with its path to the bucket's root."""

    at: int
    blinded: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class Absence:
    """In one version of a table: the adjacent owners between which the absent one would stand."""

    table: str
    version: int
    sequence: int
    bucket: int
    neighbours: tuple[Neighbour, ...]


def row_proofs(run: Run, table: str, evidence_id: str) -> list[RowProof]:
    """Every row of this evidence in the version that the pointer shows. Raises UsageError when there is none."""
    version = journal.pointer(run.conn).get(table)
    handle = None if version is None else tables.open_table(run.settings.lake_root, table, version)
    if handle is None:
        raise UsageError("Readers see no such table yet. `hanbeon sources` lists what there is.")
    leaves = journal.leaves(run.conn, table)
    found = [
        proof
        for action in tables.active_files(handle)
        for proof in _of_file(run, table, tables.decoded(str(action["path"])), evidence_id, leaves)
    ]
    if not found:
        raise UsageError("No row with this evidence id stands in that table. `hanbeon trace application` lists rows.")
    return sorted(found, key=lambda proof: (proof.values.get("_line_no") or 0, proof.file, proof.row))


def _of_file(run: Run, table: str, name: str, evidence_id: str, leaves: list[Leaf]) -> Iterator[RowProof]:
    path = layout.table_path(run.settings.lake_root, table) / name
    ids = pq.ParquetFile(path).read(columns=["_evidence_id"]).column("_evidence_id").combine_chunks()
    numbers = pc.indices_nonzero(pc.fill_null(pc.equal(ids, evidence_id), False)).to_pylist()
    if not numbers:
        return
    leaf, file = _pinned(leaves, name, table)
    secrets = owners.known(run.conn, run.secrets, rows.owners(path))
    hashes = rows.leaf_hashes(path, name, secrets)
    content: pa.Table = pq.ParquetFile(path).read()
    for number in numbers:
        values = content.slice(number, 1).to_pylist()[0]
        secret = secrets[rows.owner_bytes(values[str(rows.owner_column(content.schema.names))])]
        pipeline, own = row_text.parts(values, content.schema, secret, name, number)
        if row_text.leaf_hash(pipeline.commitment, own.commitment) != hashes[number]:
            raise IntegrityError(f"{table}: a row and its leaf disagree. Run `hanbeon verify`, and keep the files.")
        row_path = tuple(merkle.path(hashes, number))
        yield RowProof(table, leaf.version, leaf.sequence, name, number, file.rows, row_path, pipeline, own, values)


def _pinned(leaves: list[Leaf], name: str, table: str) -> tuple[Leaf, File]:
    for leaf in reversed(leaves):
        for file in leaf.files:
            if tables.decoded(file.path) == name:
                return leaf, file
    raise IntegrityError(f"{table}: a data file that readers see has no leaf. Run `hanbeon recover`.")


def absences(run: Run, table: str, owner: bytes, bucket: int, first: int = 0, last: int | None = None) -> list[Absence]:
    """For each commit of the table with first <= sequence <= last: why its version holds no row of this owner.

    Raises UsageError naming the first version that does hold one, IntegrityError where what was kept of a version does
    not lead to the root in its leaf.
    """
    blinded = subjects.blind(owners.blinding_key(run.secrets, table, bucket), owner)
    found = []
    for leaf in journal.leaves(run.conn, table):
        if leaf.sequence < first or (last is not None and leaf.sequence > last):
            continue
        held = subjects.kept(run.settings.lake_root, table, leaf.version)
        if held is None:
            raise IntegrityError(f"{table}: whose rows version {leaf.version} held was not kept. Nothing is proved.")
        own = sorted(held.get(bucket, ()))
        at = bisect_left(own, blinded)
        if at < len(own) and own[at] == blinded:
            raise UsageError(f"{table}: version {leaf.version} holds a row of this person, so there is no absence.")
        hashes = subjects.leaves(own)
        places = [place for place in (at - 1, at) if 0 <= place < len(own)]
        neighbours = tuple(Neighbour(place, own[place], tuple(merkle.path(hashes, place))) for place in places)
        found.append(Absence(table, leaf.version, leaf.sequence, bucket, neighbours))
    return found
