"""One document as a person reads it: the rows of a recipient's own share, with Korean names, codes spelled out.

In: a recipient, a subject, a document's contract and the columns that may be read. Out: `Copy`s, newest first. The
share's tables are read, not the lake's; which of a subject's rows are of the service's variant is known to gold alone.
A share holds what the holders say now: for an earlier moment gold is seen as the share of then would have been.
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
from pipeline.gold import pairwise_ids, seen_by, share_evidence_ids, share_schema
from pipeline.reading import read
from pipeline.run import Run
from pipeline.versions import state_at
from schemas.codes import entries
from schemas.column import Column
from schemas.contract import Contract, gold, published, source
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
    """One record of a document in one state, valid in the holder's time; `valid_to` is None for the present one."""

    evidence_id: str
    valid_from: datetime
    valid_to: datetime | None
    values: tuple[Value, ...]
    groups: tuple[Lines, ...]


@dataclass(frozen=True)
class Then:
    """An earlier moment in the holders' time, and the gate's rows of now under which it is looked at."""

    instant: datetime
    allowed: pa.Table


def copies(
    run: Run,
    contract: Contract,
    recipient: str,
    subject_key: int,
    variant: str | None,
    columns: frozenset[str],
    then: Then | None = None,
) -> tuple[Copy, ...]:
    """The subject's rows as the recipient's own share has them, in one variant, only `columns` (official paths)."""
    parent = gold(contract.published)
    ends = _ends(run, parent, recipient, subject_key, variant)
    rows_of = partial(_share_rows, run, recipient, subject_key, then)
    rows = [r for r in rows_of(parent) if r["_evidence_id"] in ends]
    groups = {
        c.properties["group"]: (c, rows_of(c))
        for c in published()
        if c.group and c.table.major == parent.table.major and c.table.document == parent.table.document
        and any(columns.issuperset(paths) for _, paths in gold_paths(c))
    }  # fmt: skip
    return tuple(
        Copy(
            evidence_id=row["_evidence_id"],
            valid_from=row["_observed_at"],
            valid_to=ends[row["_evidence_id"]],
            values=_values(parent, row, columns),
            groups=tuple(_lines(name, c, lines, row["_evidence_id"], columns) for name, (c, lines) in groups.items()),
        )
        for row in sorted(rows, key=lambda r: r["_observed_at"], reverse=True)
    )


def _ends(
    run: Run, parent: Contract, recipient: str, subject_key: int, variant: str | None
) -> dict[str, datetime | None]:
    """Until when each state of the subject's records of a variant is valid, by its evidence id in the share."""
    held = _of_subject(run, parent, subject_key)
    own = held.filter(pc.equal(held.column("_variant"), variant))
    ids = share_evidence_ids(own.column("_evidence_id"), recipient, partial(vault.keyed_hashes, run.secrets))
    return dict(zip(ids.to_pylist(), own.column("_valid_to").to_pylist(), strict=True))


def _of_subject(run: Run, contract: Contract, subject_key: int) -> pa.Table:
    held = read(run, f"gold/{contract.name}", contract.gold_schema)
    return held.filter(pc.equal(held.column("_subject_key"), subject_key))


def _share_rows(
    run: Run, recipient: str, subject_key: int, then: Then | None, contract: Contract
) -> list[dict[str, Any]]:
    hashes = partial(vault.keyed_hashes, run.secrets)
    if then is None:
        held = read(run, f"shares/{recipient}/{contract.name}", share_schema(contract, recipient))
        pseudonym = pairwise_ids(pa.chunked_array([[subject_key]], pa.int64()), recipient, hashes)[0]
        found = held.filter(pc.equal(held.column("_pairwise_id"), pseudonym))
    else:
        own = then.allowed.filter(pc.equal(then.allowed.column("document_type"), contract.document_type))
        states = state_at(_of_subject(run, contract, subject_key), then.instant)
        found = seen_by(contract, states, own, recipient, hashes)
    rows: list[dict[str, Any]] = found.to_pylist()
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
