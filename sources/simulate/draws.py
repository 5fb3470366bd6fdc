"""Draws that depend on a row's number and a word alone: the same for a row alone or among all, on any day.

Integer arithmetic in 64 bits that never overflows, so that nothing depends on the library's own hash.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from zlib import crc32

import polars as pl

from hanbeon.clock import seoul_date
from sources.simulate.rates import BASE_INSTANT

TODAY = seoul_date(BASE_INSTANT)  # of the world's first day; what is drawn lies around it
SETTLED_DAYS = 25  # what a drawn record tells had happened before the first record changed
_WORD = 2**32


def _mixed(number: pl.Series) -> pl.Series:
    """32 bits well mixed; both factors are below 2**31, so that no product leaves 63 bits."""
    for shift, factor in ((16, 0x2C1B3C6D), (12, 0x297A2D39)):
        number = ((number ^ (number // 2**shift)) * factor) % _WORD
    return number ^ (number // 2**15)


def _word(key: pl.Expr, salt: str) -> pl.Expr:
    """32 bits of a row's number and a word. One node to the planner: an expression would hold its key 64 times."""
    salted = crc32(salt.encode())

    def mixed(keys: pl.Series) -> pl.Series:
        return _mixed(_mixed(keys % _WORD) ^ salted)

    return key.cast(pl.Int64).map_batches(mixed, return_dtype=pl.Int64, is_elementwise=True)


def share(key: pl.Expr, salt: str) -> pl.Expr:
    """Evenly from 0 to below 1."""
    return _word(key, salt) / _WORD


def below(key: pl.Expr, salt: str, limit: int | pl.Expr) -> pl.Expr:
    """A whole number from 0 to below the limit (below 2**31; 0 where that is 0 or less)."""
    most = pl.lit(limit, pl.Int64) if isinstance(limit, int) else limit.cast(pl.Int64)
    return _word(key, salt) * pl.max_horizontal(most, pl.lit(0, pl.Int64)) // _WORD


def pick(key: pl.Expr, salt: str, values: Sequence[str] | Mapping[str, float]) -> pl.Expr:
    """One of the values; a mapping gives each its share, and the shares add up to one."""
    if not isinstance(values, Mapping):
        return below(key, salt, len(values)).replace_strict(dict(enumerate(values)), return_dtype=pl.String)
    drawn, names = share(key, salt), list(values)
    made, reached = pl.lit(names[-1]), 1.0
    for name in reversed(names[:-1]):
        reached -= values[names[names.index(name) + 1]]
        made = pl.when(drawn < reached).then(pl.lit(name)).otherwise(made)
    return made


def day_before(last: pl.Expr | date, key: pl.Expr, salt: str, least: int, most: int) -> pl.Expr:
    """A date from `least` to `most` days before `last`."""
    end = pl.lit(last) if isinstance(last, date) else last
    return (end.cast(pl.Int32) - least - below(key, salt, most - least + 1)).cast(pl.Int32).cast(pl.Date)


def day_between(first: pl.Expr, last: pl.Expr, key: pl.Expr, salt: str) -> pl.Expr:
    """A date from `first` to `last`; `first` where that is the later one."""
    start, end = first.cast(pl.Int32), last.cast(pl.Int32)
    return (start + below(key, salt, end - start + 1)).cast(pl.Int32).cast(pl.Date)


def digits(key: pl.Expr, salt: str, count: int) -> pl.Expr:
    """`count` digits; two different keys may draw the same."""
    first = min(count, 9)
    text = below(key, salt, 10**first).cast(pl.String).str.zfill(first)
    return text if count == first else text + digits(key, f"{salt}+", count - first)


def scattered(key: pl.Expr, count: int) -> pl.Expr:
    """`count` digits that no two keys below 10**count share."""
    drawn: pl.Expr = (key.cast(pl.Int64) * 7_654_321 + 1_234_567) % 10**count
    return drawn.cast(pl.String).str.zfill(count)


def settled() -> date:
    """The last day that a drawn record may tell of."""
    return date.fromordinal(TODAY.toordinal() - SETTLED_DAYS)


def years_ago(years: int) -> pl.Expr:
    """Who was born on this day or before has had that birthday on the world's first day."""
    return pl.lit(date(TODAY.year - years, TODAY.month, TODAY.day))


def months_before(count: int) -> list[str]:
    """The `count` months up to the last full one, as YYYYMM, oldest first."""
    last = TODAY.year * 12 + TODAY.month - 2
    return [f"{m // 12}{m % 12 + 1:02}" for m in range(last - count + 1, last + 1)]
