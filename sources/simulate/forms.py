"""The form in which holders write what is true: register tables in, the same tables as their systems deliver them out.

Truth (`truth.py`) is the standard value. A holder's system writes it in its own way, at the rates of `rates.FORMS`:
codes of regions that were renamed meanwhile, and the like. Which record gets which form depends on its own number
alone, so that a record looks the same on any day. The source contracts say how each form is standardised.
"""

from collections.abc import Callable, Mapping
from functools import cache

import polars as pl

from schemas import codes
from sources.simulate.draws import share
from sources.simulate.rates import FORMS
from sources.simulate.regions import RENAMED, legal_codes
from sources.simulate.store import Frames

Form = Callable[[pl.DataFrame], pl.DataFrame]


def delivered(register: str, tables: Frames) -> Frames:
    """A register's tables as its holder delivers them."""
    return {name: _DELIVERED.get((register, name), _as_it_is)(frame) for name, frame in tables.items()}


def _as_it_is(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


def _drawn(form: str) -> pl.Expr:
    """Whether a record, or a line of it, is written in this form."""
    number = pl.col("record_id").str.slice(2).cast(pl.Int64)
    return share(number, form) < FORMS[form]


def _drawn_of_line(form: str) -> pl.Expr:
    number = pl.col("record_id").str.slice(2).cast(pl.Int64) * 64 + pl.col("line_no").cast(pl.Int64)
    return share(number, form) < FORMS[form]


@cache
def _former(code_list: str) -> Mapping[str, str]:
    """Of the codes of a renamed province or county: the one of before."""
    return {
        r.successor: r.code
        for r in codes.regions(code_list)
        if r.successor.startswith(tuple(RENAMED)) and r.code.startswith(tuple(RENAMED.values()))
    }


@cache
def _former_provinces() -> tuple[str, ...]:
    """강원도, 전라북도, 경상북도 군위군: how an address began before."""
    named = dict(legal_codes().select("code", "name").iter_rows())
    return tuple(f"{named[code.ljust(10, '0')]} " for code in RENAMED.values())


def _household(frame: pl.DataFrame) -> pl.DataFrame:
    """Who still has the address of before the renaming has the codes of before, on a document of today."""
    is_old = pl.any_horizontal(pl.col("ROAD_NM_ADDR").str.starts_with(p) for p in _former_provinces())
    return frame.with_columns(_former_where(is_old, "STDG_CD", "stdg"), _former_where(is_old, "DONG_CD", "hdong"))


def _addresses(frame: pl.DataFrame) -> pl.DataFrame:
    """Some clerks' systems kept the old codes for a while: the line is later than the renaming, its code is not."""
    return frame.with_columns(_former_where(_drawn_of_line("former_region"), "STDG_CD", "stdg"))


def _former_where(is_old: pl.Expr, column: str, code_list: str) -> pl.Expr:
    former = pl.col(column).replace_strict(_former(code_list), default=pl.col(column), return_dtype=pl.String)
    return pl.when(is_old).then(former).otherwise(column).alias(column)


_DELIVERED: Mapping[tuple[str, str], Form] = {
    ("household_extract", "household_extract"): _household,
    ("individual_abstract", "individual_abstract__addr_history"): _addresses,
}
