"""When a term of Korean law ends: counted in days from the day after, and never on a day when offices are closed.

In: an instant and a number of days. Out: the end of the last day in Seoul, as an instant. The first day does not count,
and a term whose last day is a Saturday or a holiday ends with the next working day (Civil Code 157, 161). A term so
counted never ends later than one counted in working days.

Closed are Saturdays, Sundays, the public holidays of 관공서의 공휴일에 관한 규정 and their substitutes. Lunar holidays
are listed for 2026 to 2030; days declared for one occasion (elections, temporary holidays) are not known here. A day
that is missing makes a term end earlier, never later.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from hanbeon.clock import SEOUL, seoul_date

DAY = timedelta(days=1)
SATURDAY, SUNDAY = 5, 6
NATIONAL = ((3, 1), (5, 5), (8, 15), (10, 3), (10, 9), (12, 25))  # with a substitute
PLAIN = ((1, 1), (6, 6))  # without
SEOLLAL = (date(2026, 2, 17), date(2027, 2, 7), date(2028, 1, 27), date(2029, 2, 13), date(2030, 2, 3))
BUDDHA = (date(2026, 5, 24), date(2027, 5, 13), date(2028, 5, 2), date(2029, 5, 20), date(2030, 5, 9))
CHUSEOK = (date(2026, 9, 25), date(2027, 9, 15), date(2028, 10, 3), date(2029, 9, 22), date(2030, 9, 12))


def term_ends(since: datetime, days: int) -> datetime:
    """The instant at which a term of so many days ends: the midnight after its last day."""
    last = seoul_date(since) + days * DAY
    while not is_working_day(last):
        last += DAY
    return datetime.combine(last + DAY, time(), SEOUL).astimezone(UTC)


def is_working_day(day: date) -> bool:
    return day.weekday() not in (SATURDAY, SUNDAY) and day not in _holidays(day.year)


@cache
def _holidays(year: int) -> frozenset[date]:
    """The holidays of a year with their substitutes."""
    feasts = [(d - DAY, d, d + DAY) for d in (*SEOLLAL, *CHUSEOK) if d.year == year]
    single = [date(year, month, day) for month, day in NATIONAL] + [d for d in BUDDHA if d.year == year]
    plain = [date(year, month, day) for month, day in PLAIN]
    every = [d for feast in feasts for d in feast] + single + plain
    closed = set(every)
    for feast in feasts:
        if any(d.weekday() == SUNDAY or every.count(d) > 1 for d in feast):
            closed.add(_next_open(feast[-1], closed))
    in_feast = {d for feast in feasts for d in feast}
    for day in sorted(set(single)):
        if day.weekday() in (SATURDAY, SUNDAY) or (every.count(day) > 1 and day not in in_feast):
            closed.add(_next_open(day, closed))
    return frozenset(closed)


def _next_open(day: date, closed: set[date]) -> date:
    while day in closed or day.weekday() in (SATURDAY, SUNDAY):
        day += DAY
    return day
