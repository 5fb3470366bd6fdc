"""The form in which holders write what is true: register tables in, the same tables as their systems deliver them out.

Truth (`truth.py`) is the standard value. A holder's system writes it in its own way, at the rates of `rates.FORMS`:
codes and names of regions that were renamed meanwhile, days by the lunar calendar, thousands of won, words for nothing.
Which record gets which form depends on its own number alone, so that it looks the same on any day. The source
contracts say by which rule each form is standardised.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache

import polars as pl

from schemas import codes, lunar
from schemas.succession import SHORT
from sources.simulate.draws import pick, share
from sources.simulate.rates import FORMS
from sources.simulate.regions import RENAMED, legal_codes
from sources.simulate.store import Frames

Form = Callable[[pl.DataFrame], pl.DataFrame]

RENAMED_BEFORE = "20230101"  # an address that is older may still be written with its names and codes of then
WIDE = {ord(c): ord(c) + 0xFEE0 for c in map(chr, range(33, 127))} | {ord(" "): 0x3000}
MOST_LINES = 64
_NUMBER = pl.col("record_id").str.slice(2).cast(pl.Int64)


def delivered(register: str, tables: Frames) -> Frames:
    """A register's tables as its holder delivers them."""
    return {name: DELIVERED.get(name, _as_it_is)(frame) for name, frame in tables.items() if name.startswith(register)}


def _as_it_is(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


def _of_line() -> pl.Expr:
    return _NUMBER * MOST_LINES + pl.col("line_no").cast(pl.Int64)


def _drawn(form: str, key: pl.Expr = _NUMBER) -> pl.Expr:
    return share(key, form) < FORMS[form]


def _each(column: str, change: Callable[[str], str]) -> pl.Expr:
    return pl.col(column).map_elements(change, return_dtype=pl.String)


def _household(frame: pl.DataFrame) -> pl.DataFrame:
    """Who has lived there since before the renaming may have the name and codes of before, on a document of today."""
    is_old = _drawn("former_region") & (pl.col("MVIN_YMD") < RENAMED_BEFORE)
    frame = frame.with_columns(
        pl.when(is_old).then(_each("ROAD_NM_ADDR", _with_former_name)).otherwise("ROAD_NM_ADDR").alias("ROAD_NM_ADDR"),
        _former_where(is_old, "STDG_CD", "stdg"),
        _former_where(is_old, "DONG_CD", "hdong"),
    )
    return _address(frame, "ROAD_NM_ADDR", _NUMBER)


def _addresses(frame: pl.DataFrame) -> pl.DataFrame:
    """Some clerks' systems kept the old codes for a while: the line is later than the renaming, its code is not."""
    frame = frame.with_columns(_former_where(_drawn("former_region", _of_line()), "STDG_CD", "stdg"))
    return _address(frame, "ROAD_NM_ADDR", _of_line())


def _former_where(is_old: pl.Expr, column: str, code_list: str) -> pl.Expr:
    former = pl.col(column).replace_strict(_former(code_list), default=pl.col(column), return_dtype=pl.String)
    return pl.when(is_old).then(former).otherwise(column).alias(column)


@cache
def _former(code_list: str) -> Mapping[str, str]:
    """Of the codes of a renamed province or county: the one of before."""
    return {
        r.successor: r.code
        for r in codes.regions(code_list)
        if r.successor.startswith(tuple(RENAMED)) and r.code.startswith(tuple(RENAMED.values()))
    }


@cache
def _former_provinces() -> Mapping[str, str]:
    """강원특별자치도 to 강원도, 전북특별자치도 to 전라북도."""
    named = dict(legal_codes().select("code", "name").iter_rows())
    whole = {new: old for new, old in RENAMED.items() if len(new) == 2}
    return {named[new + "0" * 8]: named[old + "0" * 8] for new, old in whole.items()}


def _with_former_name(address: str) -> str:
    province, _, rest = address.partition(" ")
    return f"{_former_provinces().get(province, province)} {rest}"


def _address(frame: pl.DataFrame, column: str, key: pl.Expr) -> pl.DataFrame:
    """Some addresses abbreviated, in full width, or with blanks too many."""
    ways = {
        "abbreviated_province": _abbreviated,
        "wide_address": lambda text: text.translate(WIDE),
        "blanks_in_address": lambda text: f" {text.replace(' ', '  ')}\u3000",
    }
    return _written(frame, column, key, ways)


def _abbreviated(address: str) -> str:
    """Not the cities of before 1995: until when a short name meant something else than they nobody states."""
    province, _, rest = address.partition(" ")
    return address if province.endswith("직할시") else f"{SHORT.get(province, (province,))[0]} {rest}"


def _earner(frame: pl.DataFrame) -> pl.DataFrame:
    """A name out of an old printer file: syllables apart, in full width, or in decomposed letters."""
    ways = {
        "syllables_apart": lambda name: name if " " in name else " ".join(name),
        "wide_name": lambda name: name.translate(WIDE) if " " in name else f"\u3000{name}\u3000",
        "decomposed_name": lambda name: unicodedata.normalize("NFD", name),
    }
    return _written(frame, "INERN_NM", _NUMBER, ways)


def _written(frame: pl.DataFrame, column: str, key: pl.Expr, ways: Mapping[str, Callable[[str], str]]) -> pl.DataFrame:
    for form, way in ways.items():
        changed = pl.when(_drawn(form, key)).then(_each(column, way)).otherwise(column)
        frame = frame.with_columns(changed.alias(column))
    return frame


def _income_lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Where there is no workplace, some lines say so."""
    word = pl.when(_drawn("word_for_nothing", _of_line())).then(pick(_of_line(), "word", ("해당없음", "-", " ")))
    return frame.with_columns(BPLC_NM=pl.coalesce("BPLC_NM", word))


def _births(frame: pl.DataFrame) -> pl.DataFrame:
    by_moon = pl.when(pl.col("LNCL_YN") == "Y").then(_each("BRTH_YMD", _lunar)).otherwise("BRTH_YMD")
    return frame.with_columns(BRTH_YMD=by_moon)


def _lunar(day: str) -> str:
    """A day of the sun as an old register has it: 음19450101, 음윤…"""
    first_days, months = _lunar_months()
    when = date(int(day[:4]), int(day[4:6]), int(day[6:]))
    month = months[bisect_right(first_days, when) - 1]
    return f"음{'윤' if month.is_leap else ''}{month.month}{(when - month.first_day).days + 1:02}"


@cache
def _lunar_months() -> tuple[list[date], list[lunar.Month]]:
    ordered = sorted(lunar.months(), key=lambda m: m.first_day)
    return [m.first_day for m in ordered], ordered


def _with_hyphens(*columns: str) -> Form:
    shown = [pl.col(c).str.replace(r"^(....)(..)(..)$", "$1-$2-$3").alias(c) for c in columns]
    return lambda frame: frame.with_columns(shown)


def _yes_no_in_words(column: str) -> Form:
    words = pl.col(column).replace_strict({"Y": "여", "N": "부"}, return_dtype=pl.String)
    return lambda frame: frame.with_columns(words.alias(column))


def _in_thousands(column: str) -> Form:
    return lambda frame: frame.with_columns((pl.col(column) // 1_000).alias(column))


DELIVERED: Mapping[str, Form] = {
    "household_extract": _household,
    "individual_abstract__addr_history": _addresses,
    "income_certificate": _earner,
    "income_certificate__lines": _income_lines,
    "basic_certificate": _births,
    "graduation_certificate": _with_hyphens("MTCLTN_YMD", "GRDTN_YMD"),
    "lease_report": _yes_no_in_words("UPDT_YN"),
    "land_price_confirmation__prices": _in_thousands("INDIV_OALP"),
}
"""Tables that are not delivered as they are."""
