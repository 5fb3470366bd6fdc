"""From a holder's raw values to batches of `Contract.delivered_schema`.

A value that cannot be what its contract says raises `Poison` with a safe reason: its whole document is withheld and
counted, and the rest goes on (F23). A value of another type is no poison but drift: the dataset stops, with a sentence
that names contract, column, expected and found, never the value (F22). Of several versions of one record in one
delivery the newest by the holder's time wins, even over one that is withheld (F24).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from hanbeon.clock import parse_instant
from hanbeon.errors import SchemaDrift
from schemas.column import Column, Group
from schemas.contract import Contract
from schemas.decimals import exact, from_text
from sources.coverage import Asked
from sources.delivery import SUPERSEDED, Tally

LONGEST_TEXT = 1_000_000
MOST_LINES = 10_000
_INT64 = range(-(2**63), 2**63)
ENTITY_MARK = "\ufdd0"  # stands where a document used an entity that nobody resolves
LENGTH_MARK = "\ufdd1"  # stands where a text was too long to be looked at
_YEARS = range(1900, 2100)  # a record "changed" in 9999 would move the watermark past everything to come
_TYPE_NAMES = {
    str: "string",
    int: "integer",
    float: "fraction",
    Decimal: "fraction",
    bool: "boolean",
    list: "list",
    dict: "object",
}

Row = dict[str, Any]


class Poison(Exception):
    """A value that cannot be used. `reason` is safe to count and to show."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Poisoned:
    """Stands where a value was that its parser refused."""

    reason: str


@dataclass(frozen=True)
class Version:
    """One version of one record of one asked subject; `content` makes its row, or raises Poison."""

    asked: Asked
    record_id: str
    changed_at: datetime
    content: Callable[[], Row]


def drift(contract: Contract, column: str, expected: str, found: str) -> SchemaDrift:
    return SchemaDrift(
        f"{contract.id} {contract.version}: column {column} is expected as {expected}, found {found}. "
        f"{contract.dataset} stops until the contract or the holder is corrected."
    )


def type_name(value: object) -> str:
    return "nothing" if value is None else _TYPE_NAMES.get(type(value), "another type")


def clean_text(value: str) -> str:
    """Raises Poison for text that no table should hold."""
    if len(value) > LONGEST_TEXT or LENGTH_MARK in value:
        raise Poison("too_long")
    if "\x00" in value:
        raise Poison("nul")
    if "\ufffd" in value:
        raise Poison("undecodable")
    if ENTITY_MARK in value:
        raise Poison("entity_refused")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        undecodable = all("\udc80" <= c <= "\udcff" for c in value[error.start : error.end])
        raise Poison("undecodable" if undecodable else "lone_surrogate") from None
    return value


def conform(contract: Contract, column: Column, value: object) -> object:
    """One value as its contract has it. Raises Poison or SchemaDrift."""
    if isinstance(value, Poisoned):
        raise Poison(value.reason)
    if value is None:
        return None
    if column.logical_type == "number":
        return _number(contract, column, value)
    wanted = {"string": str, "integer": int, "boolean": bool}[column.logical_type]
    if type(value) is not wanted:
        raise drift(contract, column.name, column.logical_type, type_name(value))
    if isinstance(value, str):
        return clean_text(value)
    if column.logical_type == "integer" and value not in _INT64:
        raise Poison("number_out_of_range")
    return value


def _number(contract: Contract, column: Column, value: object) -> Decimal:
    """A number with a fraction, delivered as text or number. One with more digits than its column is never rounded."""
    said = from_text(value) if isinstance(value, str) else Decimal(value) if type(value) is int else value
    if not isinstance(said, Decimal):
        raise drift(contract, column.name, column.logical_type, type_name(value))
    found = exact(said, *column.digits)
    if found is None:
        raise Poison("too_many_digits" if said.is_finite() else "number_out_of_range")
    return found


def lines(contract: Contract, group: Group, names: frozenset[str], raw: Sequence[Mapping[str, object]]) -> list[Row]:
    """A group's lines: number, identifier and covered columns; the others NULL."""
    if len(raw) > MOST_LINES:
        raise Poison("too_many_lines")
    made = []
    for line in raw:
        number = line.get("_line_no")
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**31:
            raise Poison("line_number_unreadable")
        row: Row = {"_line_no": number}
        for c in group.columns:
            row[c.name] = conform(contract, c, line.get(c.name)) if c.is_identifier or c.name in names else None
        made.append(row)
    return sorted(made, key=lambda row: int(row["_line_no"]))


def content(
    contract: Contract, asked: Asked, own: Mapping[str, object], groups: Mapping[str, Sequence[Mapping[str, object]]]
) -> Row:
    """The covered columns and groups of one document."""
    row: Row = {c.name: conform(contract, c, own.get(c.name)) for c in contract.content if c.name in asked.covered.own}
    for g in contract.groups:
        if g.name in asked.covered.groups:
            row[g.name] = lines(contract, g, asked.covered.groups[g.name], groups[g.name])
    return row


def text_control(value: object) -> str:
    """A record id or identifier. Raises Poison."""
    if isinstance(value, Poisoned):
        raise Poison(value.reason)
    if not isinstance(value, str) or not value:
        raise Poison("control_value_missing")
    return clean_text(value)


def instant_control(value: object) -> datetime:
    """A changed-at. Raises Poison."""
    try:
        instant = value if isinstance(value, datetime) else parse_instant(text_control(value))
    except (ValueError, OverflowError):
        raise Poison("time_unreadable") from None
    if instant.year not in _YEARS:
        raise Poison("time_out_of_range")
    return instant.astimezone(UTC)


class Newest:
    """Keeps the newest version of each record of a part of a delivery; what is withheld counts as a version too."""

    def __init__(self) -> None:
        self._versions: dict[tuple[int, str, str], Version] = {}
        self._withheld: dict[tuple[int, str, str], datetime | None] = {}

    def add(self, version: Version, tally: Tally) -> None:
        tally.saw(version.changed_at)
        key = (version.asked.subject_key, version.asked.variant, version.record_id)
        other = self._versions.get(key)
        if other is not None:
            tally.drop(SUPERSEDED, 1)
        if other is None or version.changed_at > other.changed_at:
            self._versions[key] = version

    def withhold(self, asked: Asked, record_id: str) -> None:
        """A version of this record has no readable time: none of its versions can be called the newest."""
        self._withheld[(asked.subject_key, asked.variant, record_id)] = None

    def rows(self, tally: Tally) -> Iterator[Row]:
        for key, version in self._versions.items():
            if key in self._withheld:
                tally.drop(SUPERSEDED, 1)
                continue
            control: Row = {
                "_subject_key": version.asked.subject_key,
                "_variant": version.asked.variant,
                "_record_id": version.record_id,
                "_observed_at": version.changed_at,
            }
            try:
                yield control | version.content()
            except Poison as poison:
                tally.withhold(poison.reason, version.asked.subject_key)


def batches(contract: Contract, rows: Iterable[Row], most: int) -> Iterator[pa.RecordBatch]:
    """Rows as record batches of the delivered schema; a column that a row lacks is NULL."""
    names = contract.delivered_schema.names
    chunk: list[Row] = []
    for row in rows:
        chunk.append(dict.fromkeys(names) | row)
        if len(chunk) >= most:
            yield pa.RecordBatch.from_pylist(chunk, schema=contract.delivered_schema)
            chunk = []
    if chunk:
        yield pa.RecordBatch.from_pylist(chunk, schema=contract.delivered_schema)
