"""Age as Korean law counts it (F7, F42): Civil Act 158 and 160, PIPA 22-2."""

from datetime import UTC, date, datetime, timedelta

import pytest

from consent.age import birth_date, is_under_age, of_age_at, turns

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("born", "of_age"),
    [
        (date(2012, 6, 1), datetime(2026, 5, 31, 15, tzinfo=UTC)),  # 2026-06-01 00:00 in Seoul
        (date(2012, 1, 1), datetime(2025, 12, 31, 15, tzinfo=UTC)),
        (date(2012, 2, 29), datetime(2026, 2, 28, 15, tzinfo=UTC)),  # no 29 February in 2026: 1 March (160 (3))
        (date(2012, 2, 28), datetime(2026, 2, 27, 15, tzinfo=UTC)),
        (date(2012, 3, 1), datetime(2026, 2, 28, 15, tzinfo=UTC)),
    ],
)
def test_a_person_turns_14_at_midnight_in_seoul_of_the_birthday(born: date, of_age: datetime) -> None:
    assert turns(born, 14) == of_age


def test_a_leap_day_birthday_is_kept_where_the_year_has_one() -> None:
    assert turns(date(2012, 2, 29), 16) == datetime(2028, 2, 28, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "born"),
    [
        ("1226013000001", date(2012, 6, 1)),  # simulated: 20 added to the month
        ("1222294000001", date(2012, 2, 29)),
        ("9023012000001", date(1990, 3, 1)),
        ("9023016000001", date(1990, 3, 1)),  # a foreigner's
        ("1226017000001", date(2012, 6, 1)),
        ("9932319000001", date(1899, 12, 31)),
        ("1322293000001", None),  # 2013 has no 29 February
        ("1239013000001", None),
        ("122601300000", None),
        ("122601x000001", None),
        ("１２26013000001", None),
    ],
)
def test_a_number_tells_its_birth_date_or_none(number: str, born: date | None) -> None:
    assert birth_date(number) == born


@pytest.mark.parametrize(("moved", "is_child"), [(-SECOND, True), (timedelta(0), False), (SECOND, False)])
def test_f7_the_last_second_of_childhood(moved: timedelta, is_child: bool) -> None:
    number = "1226013000001"
    of_age = of_age_at(number)
    assert of_age is not None
    assert is_under_age(number, of_age + moved) is is_child


def test_a_number_without_a_birth_date_tells_no_age() -> None:
    assert of_age_at("not a number") is None


def test_a_birth_to_come_says_nothing() -> None:
    assert not is_under_age("9023014000001", datetime(2026, 6, 1, tzinfo=UTC))
