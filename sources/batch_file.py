"""Batch-file holders: a nightly full file in fixed width, with a control file (name, record count, sha256).

The newest complete pair in the holder's folder is the delivery. One pass checks size, count and hash before anything is
yielded and remembers where the asked documents lie (`fixed_width.scan`); a second pass decodes these and nothing else.
The file is received in bulk, as its contract says: what nobody asked for is never decoded, kept or shown (P2, F21).

It is a full delivery: every asked document is yielded whatever the watermark, so that, when the report is complete,
what is absent is deleted (`deletes: absence`), withheld subjects apart (`DeliveryReport.withheld_subjects`).
"""

import codecs
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hanbeon.errors import ContractError, SourceError
from hanbeon.settings import SourceSettings
from schemas.column import Group
from schemas.contract import Contract
from schemas.request import RequestSet
from sources.bounds import deadline
from sources.conform import (
    MOST_LINES,
    Newest,
    Poison,
    Row,
    Version,
    batches,
    content,
    drift,
    instant_control,
    text_control,
)
from sources.coverage import Asked, Covered, asked, subject_only
from sources.delivery import BATCH_ROWS, NOT_REQUESTED, UNKNOWN_KIND, Batches, Tally
from sources.file_pair import Control, newest_pair, opened, read_control
from sources.fixed_width import FLAGS, Layout, Numbers, Scan, Span, layout, scan
from sources.signed import of_file


@dataclass(frozen=True)
class _Subjects:
    """The request set by identifier: rows of `who` are table[starts[who] : starts[who + 1]]."""

    table: pa.Table
    identifiers: pa.Array
    starts: Numbers
    keys: Numbers
    sets: tuple[Covered, ...]


@dataclass(frozen=True)
class _Source:
    contract: Contract
    shape: Layout
    file: BinaryIO
    tally: Tally


def read(
    contract: Contract,
    request: RequestSet,
    sets: tuple[Covered, ...],
    folder: str,
    settings: SourceSettings,
    tally: Tally,
) -> Batches:
    """Batches of one delivery. Raises SourceError, SchemaDrift, DependencyDown."""
    limit, shape, subjects = deadline(contract.holder, settings), _layout(contract), _subjects(request, sets)
    path = newest_pair(contract, Path(folder))
    control = read_control(contract, path)
    with opened(contract, path) as file:
        found = scan(file, shape, subjects.identifiers, limit)
        _check(contract, shape, found, control)
        blocks = found.found()
        tally.received, tally.signed_count = found.headers, control.records
        tally.statements.append(of_file(path, found.digest))
        tally.drop(NOT_REQUESTED, found.headers - len(blocks) + found.orphans)
        rows = _rows(_Source(contract, shape, file, tally), subjects, _together(blocks, subjects))
        for batch in batches(contract, rows, BATCH_ROWS):
            limit.remaining()
            yield batch


def _layout(contract: Contract) -> Layout:
    try:
        made = layout(contract)
        codecs.lookup(made.encoding)
        return made
    except (LookupError, TypeError, ValueError):
        raise ContractError(f"{contract.id} does not say where the fields of its file lie. Compare it.") from None


def _subjects(request: RequestSet, sets: tuple[Covered, ...]) -> _Subjects:
    table = request.table.sort_by("identifier").combine_chunks()
    identifiers = pc.unique(table["identifier"])
    who = pc.index_in(table["identifier"], value_set=identifiers).to_numpy()
    starts = np.searchsorted(who, np.arange(len(identifiers) + 1)).astype(np.int64)
    return _Subjects(table, identifiers, starts, table["_subject_key"].to_numpy()[starts[:-1]], sets)


def _check(contract: Contract, shape: Layout, found: Scan, control: Control) -> None:
    if found.digest != control.digest:
        raise SourceError(
            f"{contract.holder}: the file is not what its control file describes ({found.size} bytes came, the sha256 "
            "differs). Nothing of it is used; the watermark stays."
        )
    if not found.is_aligned:
        raise drift(contract, "recordBytes", f"{shape.record_bytes} bytes and a newline", "records of another length")
    if found.records != control.records:
        raise SourceError(
            f"{contract.holder}: the control file announces {control.records} records, the file holds {found.records}. "
            "Nothing of it is used; the watermark stays."
        )
    if found.records == 0 and contract.deletes == "absence":
        raise SourceError(f"{contract.holder}: an empty full file would delete everybody. Nothing is changed.")
    if found.records and not found.headers:
        raise drift(contract, "kindBytes", f"header records of kind {shape.header_kind.decode()}", "none in the file")
    pattern = contract.subject_column.pattern
    if pattern and found.sample:
        names = (name.rstrip(b" ").decode("ascii", "replace") for name in found.sample)
        if not any(re.search(pattern, name) for name in names):
            raise drift(contract, contract.subject_column.name, "an identifier by its pattern", "none in the sample")


def _together(blocks: Numbers, subjects: _Subjects) -> Numbers:
    """In file order, but blocks of one subject side by side, so that the versions of a record meet (F24)."""
    if not len(blocks):
        return blocks
    _, first, inverse = np.unique(subjects.keys[blocks[:, 2]], return_index=True, return_inverse=True)
    ordered: Numbers = blocks[np.argsort(first[inverse], kind="stable")]
    return ordered


def _rows(source: _Source, subjects: _Subjects, blocks: Numbers) -> Iterator[Row]:
    newest, key = Newest(), None
    for at in range(0, len(blocks), BATCH_ROWS):
        part = blocks[at : at + BATCH_ROWS]
        by_who = _asked(subjects, np.unique(part[:, 2]))
        for start, records, who in part.tolist():
            if subjects.keys[who] != key:
                yield from newest.rows(source.tally)
                newest, key = Newest(), subjects.keys[who]
            _document(source, newest, by_who[who], start, records)
    yield from newest.rows(source.tally)


def _asked(subjects: _Subjects, whos: Numbers) -> Mapping[int, list[Asked]]:
    spans = [(int(w), int(subjects.starts[w]), int(subjects.starts[w + 1])) for w in whos]
    rows = iter(asked(subjects.table.take(np.concatenate([np.arange(a, b) for _, a, b in spans])), subjects.sets, None))
    return {who: [next(rows) for _ in range(b - a)] for who, a, b in spans}


def _document(source: _Source, newest: Newest, who: list[Asked], start: int, records: int) -> None:
    """Read one document's block and add its version for each asked row of its subject."""
    shape, tally = source.shape, source.tally
    is_long = records > MOST_LINES + 1
    block = os.pread(source.file.fileno(), shape.stride * (1 if is_long else records), start * shape.stride)
    header = block[: shape.record_bytes]
    lines = [block[i : i + shape.record_bytes] for i in range(shape.stride, len(block), shape.stride)]
    own = [line for line in lines if shape.identifier.of(line) == shape.identifier.of(header)]
    tally.drop(NOT_REQUESTED, len(lines) - len(own))
    tally.drop(UNKNOWN_KIND, sum(shape.kind.of(line) not in shape.groups for line in own))
    for subject in who:
        record_id = None
        try:
            record_id = text_control(shape.text(header, shape.record_id))
            changed_at = instant_control(shape.text(header, shape.changed_at))
            is_deleted = _is_deleted(shape, header)
        except Poison as poison:
            tally.withhold(poison.reason, subject.subject_key)
            if record_id is not None:
                newest.withhold(subject, record_id)
            continue
        newest.add(
            Version(subject, record_id, changed_at, _content(source, subject, header, own, is_deleted, is_long)), tally
        )


def _is_deleted(shape: Layout, header: bytes) -> bool:
    text = shape.text(header, shape.deleted) if shape.deleted else None
    if text is not None and text not in FLAGS:
        raise Poison("control_value_missing")
    return FLAGS[text] if text else False


def _content(
    source: _Source, subject: Asked, header: bytes, lines: list[bytes], is_deleted: bool, is_long: bool
) -> Callable[[], Row]:
    contract, shape = source.contract, source.shape

    def made() -> Row:
        if is_deleted:
            return {"_is_deleted": True}
        if is_long:
            raise Poison("too_many_lines")
        own = {c.name: shape.value(header, c) for c in contract.content if c.name in subject.covered.own}
        groups = {g.name: _lines(shape, kind, g, subject, lines) for kind, g in shape.groups.items()}
        return {"_is_deleted": False} | content(contract, subject, own, groups)

    return made


def _lines(shape: Layout, kind: bytes, group: Group, subject: Asked, lines: list[bytes]) -> list[Row]:
    names = subject.covered.groups.get(group.name)
    if not names:
        return []
    number, flag = Span(*group.delivery["lineNoBytes"]), group.delivery.get("subjectLineBytes")
    made = []
    for line in lines:
        if shape.kind.of(line) != kind:
            continue
        if subject_only(group, subject.variant) and not (flag and FLAGS.get(shape.text(line, Span(*flag)) or "")):
            continue
        digits = shape.text(line, number) or ""
        row: Row = {"_line_no": int(digits) if re.fullmatch(r"[0-9]{1,9}", digits) else None}
        made.append(row | {c.name: shape.value(line, c) for c in group.columns if c.is_identifier or c.name in names})
    return made
