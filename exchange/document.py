"""One document as a person reads it: the rows of a recipient's own share, with Korean names, codes spelled out.

In: a recipient, a subject, a document's contract and the columns that may be read. Out: `Copy`s, newest first. The
share's tables are read, not the lake's; which of a subject's rows are of the service's variant is known to gold alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from consent import vault
from pipeline.coverage import gold_paths
from pipeline.gold import pairwise_ids, share_evidence_ids, share_schema
from pipeline.reading import read
from pipeline.run import Run
from schemas.codes import entries
from schemas.contract import Column, Contract, gold, published, source
from schemas.documents import document_types

YES_NO = {"Y": "예", "N": "아니오"}


@dataclass(frozen=True)
class Value:
    """One value of a document. `text` is how a person reads it: a code's Korean name, a date, an amount."""

    name: str
    korean: str
    value: Any
    text: str


@dataclass(frozen=True)
class Lines:
    """A repeating group: income lines, household members, relatives."""

    group: str
    columns: tuple[tuple[str, str], ...]  # (official name, Korean name)
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True)
class Copy:
    """One record of a document, as the holder last knew it."""

    evidence_id: str
    observed_at: datetime
    values: tuple[Value, ...]
    groups: tuple[Lines, ...]


def copies(
    run: Run, contract: Contract, recipient: str, subject_key: int, variant: str | None, columns: frozenset[str]
) -> tuple[Copy, ...]:
    """The subject's rows of the recipient's own share, in one variant, only `columns` (official paths)."""
    hashes = partial(vault.keyed_hashes, run.secrets)
    parent = gold(contract.published)
    evidence = _evidence(run, parent, subject_key, variant)
    shared = set(share_evidence_ids(evidence, recipient, hashes).to_pylist())
    pseudonym = pairwise_ids(pa.chunked_array([[subject_key]], pa.int64()), recipient, hashes)[0]
    rows = [r for r in _share_rows(run, parent, recipient, pseudonym) if r["_evidence_id"] in shared]
    groups = {
        c.properties["group"]: (c, _share_rows(run, c, recipient, pseudonym))
        for c in published()
        if c.group and c.table.major == parent.table.major and c.table.document == parent.table.document
        and any(columns.issuperset(paths) for _, paths in gold_paths(c))
    }  # fmt: skip
    return tuple(
        Copy(
            evidence_id=row["_evidence_id"],
            observed_at=row["_observed_at"],
            values=_values(parent, row, columns),
            groups=tuple(_lines(name, c, lines, row["_evidence_id"], columns) for name, (c, lines) in groups.items()),
        )
        for row in sorted(rows, key=lambda r: r["_observed_at"], reverse=True)
    )


def _evidence(run: Run, parent: Contract, subject_key: int, variant: str | None) -> pa.ChunkedArray:
    held = read(run, f"gold/{parent.name}", parent.gold_schema)
    own = pc.and_(pc.equal(held.column("_subject_key"), subject_key), pc.equal(held.column("_variant"), variant))
    return held.filter(own).column("_evidence_id")


def _share_rows(run: Run, contract: Contract, recipient: str, pseudonym: pa.Scalar) -> list[dict[str, Any]]:
    schema = share_schema(contract, recipient)
    held = read(run, f"shares/{recipient}/{contract.name}", schema)
    rows: list[dict[str, Any]] = held.filter(pc.equal(held.column("_pairwise_id"), pseudonym)).to_pylist()
    return rows


def _covered(contract: Contract, row: Mapping[str, Any], columns: frozenset[str]) -> list[Column]:
    paths = dict(gold_paths(contract))
    return [c for c in contract.columns if columns.issuperset(paths[c.name]) and c.name in row]


def _values(contract: Contract, row: Mapping[str, Any], columns: frozenset[str]) -> tuple[Value, ...]:
    return tuple(
        Value(c.name, c.korean, row[c.name], readable(c, row[c.name])) for c in _covered(contract, row, columns)
    )


def _lines(
    name: str, contract: Contract, rows: list[dict[str, Any]], evidence_id: str, columns: frozenset[str]
) -> Lines:
    own = sorted((r for r in rows if r["_evidence_id"] == evidence_id), key=lambda r: r["_line_no"])
    paths = dict(gold_paths(contract))
    headings = tuple((c.name, c.korean) for c in contract.columns if columns.issuperset(paths[c.name]))
    return Lines(name, headings, tuple(_values(contract, r, columns) for r in own))


def document_name(document_type: str) -> str:
    """The Korean name of a document type, or its id where the catalogue does not know it."""
    for contract in published():
        if contract.properties.get("documentType") == document_type and "group" not in contract.properties:
            return contract.grain.rstrip(".").rpartition(" of ")[2] or document_type
    known = document_types().get(document_type)
    return document_type if known is None else known.korean


@cache
def _code_names(code_list: str) -> dict[str, str]:
    return {e.code: e.name_ko for e in entries(code_list)}


def readable(column: Column, value: Any) -> str:
    """A value as a person reads it: the Korean name of a code, a date with hyphens, an amount with separators."""
    if value is None:
        return ""
    domain = column.domain or ""
    if domain.startswith("여부") and value in YES_NO:
        return YES_NO[value]
    if column.code_list:
        name = _code_names(column.code_list).get(value, "")
        return f"{name} ({value})" if name not in ("", value) else str(value)
    if domain.startswith("연월일") and isinstance(value, str) and len(value) == 8 and value.isdigit():
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    if isinstance(value, int):
        return (
            f"{value:,}원" if domain.startswith("금액") else (str(value) if domain.startswith("연도") else f"{value:,}")
        )
    return str(value)


def column_names(document_type: str, paths: Sequence[str]) -> list[str]:
    """The Korean names of official paths of a document; a path that no contract knows stays as it is."""
    korean = {path: c.korean for path, c in source(document_type).columns_by_path.items()}
    return [korean.get(path, path) for path in paths]
