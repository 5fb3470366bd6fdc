"""Columns of a contract, and the repeating groups of a document that have columns of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

from schemas.decimals import digits
from schemas.errors import MalformedContract

_ARROW = {
    "string": pa.string(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class Column:
    """One column of a table or of a repeating group.

    `name` is the holder's own name in a source contract and the official abbreviation in a published one;
    `publishes` (source only) is the official abbreviation that it becomes. `delivery` says where a connector
    finds it (`bytes: [start, length]`, `xpath`). `standardised` (source only) names the rule by which dbt makes the
    published value, where it is not the usual one (`schemas.standard`). `identifier_kind` is set on identifiers, which
    are never stored: `identifies` is `subject` or `line`. `partial_day` lets a day be known to its year or month alone.
    `consented_as` is set where consent knows the column by another path than its own name, or by several: it was
    renamed, or a former version's column is made of today's.
    """

    name: str
    korean: str
    logical_type: Literal["string", "integer", "number", "boolean", "date", "timestamp"]
    is_required: bool
    classification: str
    domain: str | None = None
    publishes: str | None = None
    code_list: str | None = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    description: str = ""
    defined_by: str | None = None
    good_example: Any = None
    bad_example: Any = None
    identifier_kind: str | None = None
    identifies: str | None = None
    delivery: Mapping[str, Any] = field(default_factory=dict)
    physical_type: str = ""
    standardised: Mapping[str, Any] = field(default_factory=dict)
    partial_day: bool = False
    consented_as: tuple[str, ...] = ()

    def paths(self, group: str | None) -> tuple[str, ...]:
        """The official paths of which consent must cover every one before a value of this column may stand."""
        own = self.publishes or self.name
        return self.consented_as or (f"{group}.{own}" if group else own,)

    @property
    def arrow_field(self) -> pa.Field:
        """Raises MalformedContract for a number that does not say its digits."""
        kind = pa.decimal128(*self.digits) if self.logical_type == "number" else _ARROW[self.logical_type]
        return pa.field(self.name, kind)

    @property
    def digits(self) -> tuple[int, int]:
        """Of a number with a fraction: digits in all, and after the point. Raises MalformedContract."""
        found = digits(self.physical_type)
        if found is None:
            raise MalformedContract(f"{self.name} is a number and must be stored as numeric(digits,fraction digits).")
        return found

    @property
    def is_identifier(self) -> bool:
        return self.identifier_kind is not None


@dataclass(frozen=True)
class Group:
    """A repeating group of a document: household members, income lines, officers."""

    name: str
    columns: tuple[Column, ...]
    delivery: Mapping[str, Any]

    @property
    def content(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if not c.is_identifier)

    @property
    def person(self) -> Column | None:
        """The column that identifies the line's own person, if the group has one."""
        return next((c for c in self.columns if c.is_identifier), None)
