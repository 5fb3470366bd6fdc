"""A column's rules, once: each carries its sentence, so that docs, expectation and error say the same.

Good and bad examples are checked with `violations`; `schemas.expectations` renders the same rules for Great
Expectations, and a property test holds both to one verdict. A missing value breaks `required` alone.

Try it: `python -c "from schemas import contract, rules; c = contract.gold('household_extract').columns[1];
print(rules.violations(c, '20260230'))"`
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from schemas.codes import codes
from schemas.column import Column
from schemas.decimals import exact
from schemas.shapes import (
    HIDDEN_RESIDENT_NUMBER,
    PARTIAL_DAY,
    REAL_DAY,
    RESIDENT_NUMBER_LENGTH,
    WRITTEN_DAY,
    WRITTEN_PARTIAL_DAY,
)

Kind = Literal["required", "type", "digits", "length", "pattern", "range", "code", "day", "no_resident_number"]

DAY_DOMAIN = "연월일C8"
# A corporation's number has the same digits as a person's and is public; no shape tells them apart.
CORPORATE_NUMBER_DOMAIN = "법인등록번호C13"
_HIDDEN = re.compile(HIDDEN_RESIDENT_NUMBER)
_PYTHON = {"string": str, "integer": int, "number": Decimal, "boolean": bool}


@dataclass(frozen=True)
class Rule:
    """`holds` takes a value that is present; for `required`, any value."""

    kind: Kind
    sentence: str
    holds: Callable[[Any], bool] = field(compare=False)


def rules(column: Column) -> tuple[Rule, ...]:
    """The rules of a column's values. A code list says all about shape, and so does a real day."""
    found = []
    if column.is_required:
        found.append(Rule("required", "is filled wherever consent covers it", lambda value: value is not None))
    if column.logical_type in _PYTHON:
        found.append(_type(column))
    if column.logical_type == "number":
        found.append(_digits(column))
    if column.code_list:
        listed = codes(column.code_list)
        found.append(Rule("code", f"is a code of list {column.code_list}", lambda value: value in listed))
    elif is_day(column):
        found.append(_day(column))
    elif column.logical_type == "string":
        found += _text(column)
    elif column.minimum is not None or column.maximum is not None:
        found.append(_range(column))
    return tuple(found)


def violations(column: Column, value: Any) -> tuple[str, ...]:
    """The sentences of the rules that a value breaks. A value of a wrong type is judged no further."""
    broken: list[str] = []
    for rule in rules(column):
        if (value is not None or rule.kind == "required") and not rule.holds(value):
            broken.append(rule.sentence)
            if rule.kind == "type":
                break
    return tuple(broken)


def is_day(column: Column) -> bool:
    return column.logical_type == "string" and column.domain == DAY_DOMAIN


def is_real_day(text: str) -> bool:
    """True for YYYYMMDD in ASCII digits that the calendar has."""
    if not re.fullmatch("[0-9]{8}", text):
        return False
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True


def day_shape(column: Column) -> str:
    """The regular expression of a day column: how the holder may write it, or how it is published."""
    if column.standardised.get("by") == "day":
        return WRITTEN_PARTIAL_DAY if column.partial_day else WRITTEN_DAY
    return PARTIAL_DAY if column.partial_day else REAL_DAY


def _day(column: Column) -> Rule:
    shape = re.compile(day_shape(column))
    written = column.standardised.get("by") == "day"
    sentence = f"is a day of the calendar{', or of the lunar one,' if written else ''} as YYYYMMDD"
    if written:
        sentence += " with dots, hyphens or slashes or without"
    if column.partial_day:
        sentence += ", 00 for a month or day that nobody knows"
    return Rule("day", sentence, lambda value: shape.search(value) is not None)


def hides_resident_number(text: str) -> bool:
    """True when text holds the shape of a resident number anywhere (F45)."""
    return _HIDDEN.search(text) is not None


def may_hide_resident_number(column: Column) -> bool:
    """Whether a column's text could hold one: free text, long enough, and not a corporation's own number."""
    is_free = column.logical_type == "string" and not column.code_list and not is_day(column)
    is_long = column.max_length is None or column.max_length >= RESIDENT_NUMBER_LENGTH
    return is_free and is_long and column.domain != CORPORATE_NUMBER_DOMAIN


def _type(column: Column) -> Rule:
    wanted = _PYTHON[column.logical_type]
    name = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
    is_number = wanted is int  # Python counts True as 1
    return Rule(
        "type",
        f"is {name[column.logical_type]}",
        lambda value: isinstance(value, wanted) and not (is_number and isinstance(value, bool)),
    )


def _digits(column: Column) -> Rule:
    precision, scale = column.digits
    return Rule(
        "digits",
        f"has at most {precision - scale} digits before the point and {scale} after it",
        lambda value: exact(value, precision, scale) is not None,
    )


def _text(column: Column) -> list[Rule]:
    found = []
    low, high = column.min_length, column.max_length
    if low is not None or high is not None:
        found.append(
            Rule(
                "length",
                f"has {_bounds(low, high)} characters",
                lambda value: (low is None or len(value) >= low) and (high is None or len(value) <= high),
            )
        )
    if column.pattern:
        shape = re.compile(column.pattern)
        found.append(Rule("pattern", f"matches {column.pattern}", lambda value: shape.fullmatch(value) is not None))
    if may_hide_resident_number(column):
        found.append(
            Rule("no_resident_number", "hides no resident number", lambda value: not hides_resident_number(value))
        )
    return found


def _range(column: Column) -> Rule:
    low, high = column.minimum, column.maximum
    return Rule(
        "range",
        f"is {_bounds(low, high)}",
        lambda value: (low is None or value >= low) and (high is None or value <= high),
    )


def _bounds(low: int | None, high: int | None) -> str:
    if high is None:
        return f"{low} or more"
    return f"at most {high}" if low is None else f"{low} to {high}"
