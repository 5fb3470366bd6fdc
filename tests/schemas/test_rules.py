"""Rules of values: a day is a day, and a resident number is found wherever it hides (F45)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.column import Column
from schemas.contract import gold, load_all, source
from schemas.rules import hides_resident_number, is_real_day, rules, violations
from schemas.shapes import REAL_DAY

TEXT = Column("NOTE", "비고", "string", is_required=False, classification="public", max_length=20)


def every_column() -> Iterator[Any]:
    for contract in load_all():
        for group, columns in [(None, contract.columns), *((g.name, g.columns) for g in contract.groups)]:
            for column in columns:
                if not column.is_identifier:
                    yield pytest.param(column, id=f"{contract.name}:{group or ''}.{column.name}")


@pytest.mark.parametrize("column", list(every_column()))
def test_every_column_accepts_its_good_example_and_rejects_its_bad_one(column: Column) -> None:
    assert violations(column, column.good_example) == ()
    assert violations(column, column.bad_example) != ()


def test_a_missing_value_breaks_required_and_nothing_else() -> None:
    column = source("RRT").content[0]
    assert violations(column, None) == ("is filled wherever consent covers it",)
    assert violations(replace(column, is_required=False), None) == ()


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("가" * 20, None),
        ("가" * 21, "has at most 20 characters"),
        (20, "is text"),
    ],
)
def test_length_counts_characters_at_the_bound_and_one_past_it(value: Any, sentence: str | None) -> None:
    assert violations(TEXT, value) == ((sentence,) if sentence else ())


@pytest.mark.parametrize(
    ("value", "holds"),
    [(-999999999999999, True), (-1000000000000000, False), (999999999999999, True), (1000000000000000, False)],
)
def test_a_range_includes_its_bounds(value: Any, holds: bool) -> None:
    earned = next(c for c in gold("income_certificate__lines").columns if c.name == "EARN_AMT")
    assert (violations(earned, value) == ()) is holds


def test_true_is_no_whole_number() -> None:
    earned = next(c for c in gold("income_certificate__lines").columns if c.name == "EARN_AMT")
    assert violations(earned, True) == ("is a whole number",)


def test_a_pattern_must_match_the_whole_text_line_break_included() -> None:
    zip_code = next(c for c in gold("household_extract").columns if c.name == "ZIP")
    assert violations(zip_code, "03048") == ()
    assert violations(zip_code, "03048\n") != ()


@pytest.mark.parametrize("day", ["20240229", "20000229", "19000228", "00010101", "99991231"])
def test_a_day_of_the_calendar_passes(day: str) -> None:
    assert is_real_day(day)
    assert re.search(REAL_DAY, day)


@pytest.mark.parametrize(
    "day",
    ["20230229", "19000229", "20260431", "20261301", "20260600", "00000101", "2026-601", "20260601\n", "２０２６0601"],
)
def test_what_is_no_day_fails(day: str) -> None:
    assert not is_real_day(day)
    assert not re.search(REAL_DAY, day)


@given(st.from_regex(r"[0-9]{8}", fullmatch=True) | st.dates().map(lambda d: d.strftime("%Y%m%d")))
def test_expression_and_calendar_agree_on_days(text: str) -> None:
    assert (re.search(REAL_DAY, text) is not None) == is_real_day(text)


# Months 21 to 32: numbers of the simulated world, which belong to nobody.
@pytest.mark.parametrize(
    "text",
    [
        "9021011234567",
        "902101-1234567",
        "902101 1234567",
        "주민번호 902101 - 1234567 입니다",
        "９０２１０１－１２３４５６７",
        "9 0 2 1 0 1 - 1 2 3 4 5 6 7",
        "90-21-01-1234567",
        "90.21.01-1234567",
        "19902101-1234567",
        "852101–9234567",
        "052128-3234567",
        "902129\u200b-1234567",
        "902101-\n1234567",
        "한결상사(902101-7234567)",
    ],
)
def test_f45_a_resident_number_is_found_in_any_dress(text: str) -> None:
    assert hides_resident_number(text)
    assert violations(TEXT, text[:20]) or len(text) > 20


@pytest.mark.parametrize(
    "text",
    [
        "902230-1234567",  # 30 February
        "903301-1234567",  # month 33
        "902100-1234567",  # day 0
        "902101-123456",
        "902101-12345678",
        "RRT-2026-000000001",
        "RRT-2026-012345678",
        "90000000001",
        "02-1234-5678",
        "서울특별시 종로구 자하문로 1",
    ],
)
def test_f45_other_numbers_are_left_alone(text: str) -> None:
    assert not hides_resident_number(text)


def test_a_corporation_s_own_number_is_no_resident_number() -> None:
    number = next(c for c in gold("corporate_registration").columns if c.name == "CRNO")
    assert "no_resident_number" not in {r.kind for r in rules(number)}
    assert "no_resident_number" in {r.kind for r in rules(TEXT)}
