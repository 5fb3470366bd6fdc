"""The rows of an import file: read in bounded blocks, each checked and turned into a `Row`, or refused with a reason.

In: a CSV or Parquet file as `consent.imports` describes it. Out: blocks of (row number, the row's texts or a reason),
and by `parse` a `Row` or a reason. Numbers count data rows from 1. Reasons are our own sentences and hold no value of
the file (P8); nor do the errors.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from pyarrow import csv, parquet

from consent.model import Capacity, Cycle, is_line
from consent.shareable import NEVER_SHAREABLE, never
from hanbeon.clock import parse_instant
from hanbeon.errors import UsageError
from schemas import notices
from schemas.identifiers import CORPORATE, KINDS, PERSON
from schemas.services import APPLICANT, HOUSEHOLD, STATUTE, Requirement, Service, services

REQUIRED = ("external_id", "service", "identifier_kind", "subject_identifier", "valid_from", "valid_until", "salt")
OPTIONAL = (
    "origin",
    "grantor_identifier",
    "grantor_capacity",
    "recipient",
    "documents",
    "application_id",
    "retain_until",
    "notice_version",
    "notice_hash",
    "grounds",
    "identifier_statute",
    "cycle",
    "frequency_cap",
)
BLOCK_BYTES = 2 * 1024 * 1024
BLOCK_ROWS = 10_000
LONGEST_TEXT = 200
DIGEST = re.compile(r"[0-9a-f]{64}")
# A resident or corporate number where none belongs would rest in clear in the ledger (P10, F45).
HIDDEN_NUMBER = re.compile(r"(?<![0-9])[0-9]{6}[-\s]?[0-9]{7}(?![0-9])")
SEARCHED = ("application_id", "notice_version", "identifier_statute", "cycle")


@dataclass(frozen=True)
class Row:
    """One good row: what it says, with the service's own terms filled in. Identifiers in clear: memory only."""

    external_id: str
    origin: str
    service: Service
    requirements: tuple[Requirement, ...]
    identifier_kind: str
    grantor_kind: str
    subject: str
    grantor: str | None
    valid_from: datetime
    valid_until: datetime
    retain_until: datetime
    frequency_cap: int | None
    grounds: tuple[str, ...]
    texts: Mapping[str, str | None]  # application_id, notice_version, ... as they go into the Grant
    signed_row: Mapping[str, str] = field(default_factory=dict)  # as the origin's signature covers it


Texts = Mapping[str, str | None]
Numbered = tuple[int, Texts | str]


def blocks(path: Path) -> Iterator[list[Numbered]]:
    """Every row of the file in order, block by block. Raises UsageError when the file as a whole cannot be read."""
    try:
        if path.suffix.lower() == ".parquet":
            yield from _parquet_blocks(path)
        else:
            yield from _csv_blocks(path)
    except FileNotFoundError:
        raise UsageError(f"There is no file {path.name}.") from None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, UnicodeDecodeError):
        # what Arrow says quotes rows
        raise UsageError(
            f"{path.name} cannot be read as {'Parquet' if path.suffix.lower() == '.parquet' else 'CSV in UTF-8'}."
            " Check its format and encoding. Rows granted so far stay; importing again adds only what is missing."
        ) from None


def _need_utf8(path: Path) -> None:
    """Arrow tells a handler of malformed rows, but not that it could not: the whole file is decoded before."""
    with path.open(encoding="utf-8") as file:
        while file.read(BLOCK_BYTES):
            pass


def _csv_blocks(path: Path) -> Iterator[list[Numbered]]:
    _need_utf8(path)
    malformed: list[int] = []

    def skip(row: csv.InvalidRow) -> str:
        malformed.append(row.number - 1)  # the header is the file's row 1
        return "skip"

    reader = csv.open_csv(
        path,
        read_options=csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
        parse_options=csv.ParseOptions(invalid_row_handler=skip),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys((*REQUIRED, *OPTIONAL), pa.string()), null_values=[""], strings_can_be_null=True
        ),
    )
    _check_columns(path, reader.schema.names)
    number = told = 0
    for batch in reader:
        found: list[Numbered] = []
        skipped = set(malformed)
        for row in batch.to_pylist():
            number += 1
            while number in skipped:
                number += 1
            found.append((number, row))
        found += [(n, "the row does not have as many fields as the header") for n in malformed[told:]]
        told = len(malformed)
        yield sorted(found, key=lambda pair: pair[0])
    if malformed[told:]:
        yield [(n, "the row does not have as many fields as the header") for n in malformed[told:]]


def _parquet_blocks(path: Path) -> Iterator[list[Numbered]]:
    with parquet.ParquetFile(path) as file:
        _check_columns(path, file.schema_arrow.names)
        number = 0
        for batch in file.iter_batches(batch_size=BLOCK_ROWS):
            texts = pa.Table.from_batches([batch]).cast(
                pa.schema([pa.field(n, pa.string()) for n in batch.schema.names])
            )
            yield [(number + i, row) for i, row in enumerate(texts.to_pylist(), 1)]
            number += batch.num_rows


def _check_columns(path: Path, names: list[str]) -> None:
    """Unknown names are counted, not quoted: a file without header would put a person's row there."""
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise UsageError(f"{path.name} lacks the columns {', '.join(missing)}. `consent.imports` lists all columns.")
    unknown = [name for name in names if name not in (*REQUIRED, *OPTIONAL)]
    if unknown or len(set(names)) < len(names):
        raise UsageError(
            f"{path.name} has {len(unknown)} columns that are not known, or one twice."
            f" Known: {', '.join((*REQUIRED, *OPTIONAL))}."
        )


def parse(row: Mapping[str, str | None]) -> Row | str:
    """One row as a `Row`, or why it is refused."""
    given = {name: (row.get(name) or "").strip() or None for name in (*REQUIRED, *OPTIONAL)}
    for name in REQUIRED:
        if given[name] is None:
            return f"{name} is missing"
    reason = _text_reason(given)
    if reason:
        return reason
    service = _services().get(given["service"] or "")
    if service is None:
        return "service is not known"
    if given["recipient"] not in (None, service.recipient):
        return "recipient is not the service's (F43)"
    if given["identifier_kind"] not in service.applicants:
        return "identifier_kind is not what the service names its applicants by"
    if service.mode == "one_time" and given["application_id"] is None:
        return "application_id is missing, and the service's authorisations are for one application"
    if forbidden := [d for d in NEVER_SHAREABLE if d in _named(given["documents"])]:
        return f"documents names what no law lets flow (P1): {never(forbidden[0])}"
    requirements = _requirements(service.id, given["documents"], given["identifier_kind"] or "")
    if not requirements:
        return "documents names what the service does not take as data (F43)"
    if len({r.authorisation for r in requirements}) > 1:
        return "documents names what rests on different grounds: write a row for each"
    if requirements[0].authorisation == STATUTE:
        if given["application_id"] is None:
            return "application_id is missing, and a statute opens documents for one application"
        return _dated(given, service, requirements, ())
    consents = tuple(given["grounds"].split("|")) if given["grounds"] else notices.NEEDED
    if not set(notices.NEEDED) <= set(consents) <= {*notices.NEEDED, *notices.CLASSES}:
        return f"grounds does not name {' and '.join(notices.NEEDED)}, or names what is no ground"
    return _dated(given, service, _narrowed(requirements, consents), consents)


def _text_reason(given: Mapping[str, str | None]) -> str | None:
    for name, value in given.items():
        if value is not None and (len(value) > LONGEST_TEXT or not is_line(value)):
            return f"{name} is longer than {LONGEST_TEXT} characters or holds control characters"
    for name in ("notice_hash", "salt"):
        if given[name] is not None and not DIGEST.fullmatch(given[name] or ""):
            return f"{name} is not a SHA-256 digest in lower-case hexadecimal"
    for name in SEARCHED:
        if HIDDEN_NUMBER.search(given[name] or ""):
            return f"{name} holds what may be a person's number (F45)"
    for name, words in (("grantor_capacity", Capacity), ("cycle", Cycle)):
        if given[name] not in (None, *words):
            return f"{name} is none of {', '.join(words)}"
    cap = given["frequency_cap"]
    if cap is not None and not re.fullmatch(r"[1-9][0-9]{0,8}", cap):
        return "frequency_cap is not a whole number of at least 1"
    return None


def _dated(
    given: Texts, service: Service, requirements: tuple[Requirement, ...], consents: tuple[str, ...]
) -> Row | str:
    subject, grantor = given["subject_identifier"] or "", given["grantor_identifier"]
    kind = given["identifier_kind"] or ""
    acting = PERSON if kind in CORPORATE else kind
    for name, value, own_kind in (("subject_identifier", subject, kind), ("grantor_identifier", grantor, acting)):
        if value is not None and not KINDS[own_kind].is_form_of(value):
            return f"{name} does not have the form of its kind"
    starts, ends = _instant(given["valid_from"]), _instant(given["valid_until"])
    retain = _instant(given["retain_until"]) if given["retain_until"] else ends
    if starts is None or ends is None or retain is None:
        return "valid_from, valid_until or retain_until is not an ISO 8601 instant"
    if starts >= ends:
        return "valid_until does not lie after valid_from"
    is_statute = requirements[0].authorisation == STATUTE
    is_own = grantor in (None, subject)
    if not is_statute and is_own and kind in CORPORATE:
        return "grantor_identifier does not name who consents: a corporation does so through its representative (F42)"
    if not is_statute and not is_own and given["grantor_capacity"] in (None, Capacity.SELF):
        return "grantor_capacity does not say why the grantor may consent for somebody else (F42)"
    texts = {
        name: given[name] for name in ("application_id", "notice_version", "notice_hash", "identifier_statute", "cycle")
    }
    texts["grantor_capacity"] = given["grantor_capacity"] or (None if is_statute else "self")
    return Row(
        external_id=given["external_id"] or "",
        origin=given["origin"] or "",
        service=service,
        requirements=requirements,
        identifier_kind=kind,
        grantor_kind=acting,
        subject=subject,
        grantor=None if is_statute else grantor or subject,
        valid_from=starts,
        valid_until=ends,
        retain_until=retain,
        frequency_cap=int(given["frequency_cap"]) if given["frequency_cap"] else None,
        grounds=consents,
        texts=texts,
    )


@lru_cache
def _services() -> dict[str, Service]:
    return {s.id: s for s in services()}


def _named(documents: str | None) -> frozenset[str]:
    return frozenset(d.strip() for d in (documents or "").split("|"))


@lru_cache
def _requirements(service_id: str, documents: str | None, kind: str) -> tuple[Requirement, ...]:
    """What the service takes as data about such an applicant, narrowed to what is named; empty when one is not there.

    Where none is named, those of the service's own ground.
    """
    service = _services()[service_id]
    needed = tuple(r for r in service.needed_of(kind) if r.is_available and r.about in (APPLICANT, HOUSEHOLD))
    if documents is None:
        return tuple(r for r in needed if r.authorisation == service.authorisation)
    wanted = _named(documents)
    return tuple(r for r in needed if r.document_type in wanted) if wanted <= {r.document_type for r in needed} else ()


@lru_cache
def _narrowed(requirements: tuple[Requirement, ...], consents: tuple[str, ...]) -> tuple[Requirement, ...]:
    """Without the columns that need a separate consent which was not given (PIPA 23, 24)."""
    return tuple(replace(r, columns=notices.narrowed(r, consents)) for r in requirements)


@lru_cache(maxsize=100_000)
def _instant(text: str | None) -> datetime | None:
    try:
        return parse_instant(text or "")
    except (ValueError, OverflowError):
        return None
