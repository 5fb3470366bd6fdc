"""Terms of Korean law: ten days from the day after, ending when offices are open."""

from datetime import UTC, date, datetime

import pytest

from consent.workdays import _holidays, is_working_day, term_ends


@pytest.fixture(autouse=True)
def no_year_is_remembered() -> None:
    _holidays.cache_clear()


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 6, 1), True),
        (date(2026, 6, 6), False),  # Saturday and 현충일, which has no substitute
        (date(2026, 6, 8), True),
        (date(2026, 2, 16), False),  # 설날 연휴
        (date(2026, 2, 18), False),
        (date(2026, 2, 19), True),
        (date(2026, 3, 1), False),  # Sunday
        (date(2026, 3, 2), False),  # its substitute
        (date(2026, 5, 25), False),  # substitute of 부처님오신날, a Sunday
        (date(2026, 8, 17), False),  # substitute of 광복절, a Saturday
        (date(2026, 9, 25), False),  # 추석
        (date(2026, 10, 5), False),  # substitute of 개천절, a Saturday
        (date(2027, 2, 9), False),  # substitute: 설날 is a Sunday
        (date(2028, 10, 5), False),  # substitute: 추석 is 개천절
        (date(2026, 12, 25), False),
    ],
)
def test_days_on_which_offices_are_closed(day: date, is_open: bool) -> None:
    assert is_working_day(day) is is_open


@pytest.mark.parametrize(
    ("since", "ends"),
    [
        ("2026-06-01T00:00+09:00", "2026-06-12T00:00+09:00"),  # the 11th is the last day
        ("2026-06-01T23:59+09:00", "2026-06-12T00:00+09:00"),
        ("2026-06-03T09:00+09:00", "2026-06-16T00:00+09:00"),  # the 13th is a Saturday
        ("2026-09-14T09:00+09:00", "2026-09-29T00:00+09:00"),  # the 24th to 27th are closed
    ],
)
def test_a_term_of_ten_days_ends_with_a_working_day(since: str, ends: str) -> None:
    assert term_ends(datetime.fromisoformat(since).astimezone(UTC), 10) == datetime.fromisoformat(ends)
