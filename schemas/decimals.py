"""Numbers with fractions: a physical type or a text in, exact decimals out; nothing is ever rounded.

A contract writes `numeric(19,9)`: nineteen digits, nine of them after the point. A value that needs more digits is no
value of the column. The text of a decimal has no exponent and its column's full scale: `330.500000000`.
"""

import re
from decimal import Context, Decimal

_TYPE = re.compile(r"numeric\(([1-9][0-9]?),([1-9][0-9]?)\)")
_TEXT = re.compile(r"[+-]?[0-9]{1,100}(?:\.[0-9]{1,100})?")
MOST_DIGITS = 38  # what Arrow, DuckDB and Delta keep in sixteen bytes


def digits(physical_type: str) -> tuple[int, int] | None:
    """Digits in all and after the point, or None for another type."""
    found = _TYPE.fullmatch(physical_type)
    if found is None:
        return None
    precision, scale = int(found[1]), int(found[2])
    return (precision, scale) if scale <= precision <= MOST_DIGITS else None


def from_text(text: str) -> Decimal | None:
    """The number that a plain text says, or None: no exponent, no separators, ASCII digits alone."""
    return Decimal(text) if _TEXT.fullmatch(text) else None


def exact(value: Decimal, precision: int, scale: int) -> Decimal | None:
    """The value with its full scale, or None where it needs more digits than there are."""
    if not value.is_finite() or (value and value.adjusted() >= precision - scale):
        return None
    whole = value.quantize(Decimal(1).scaleb(-scale), context=Context(prec=MOST_DIGITS + 1))
    return abs(whole) if not whole and not value else whole if whole == value else None


def plain(value: Decimal) -> str:
    """The text of a decimal: no exponent."""
    return f"{value:f}"
