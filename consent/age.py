"""How old a person is, as Korean law counts.

In: a resident registration number, a birth date, an instant. Out: dates and instants. The day of birth counts (Civil
Act 158), so a person turns N at midnight in Seoul at the start of the birthday. A year that has no 29 February: the
last year then ends with the last day of February (Civil Act 160 (3)), so who was born on the 29th turns N on 1 March.
"""

from datetime import UTC, date, datetime, time

from hanbeon.clock import SEOUL, seoul_date

CONSENT_AGE = 14  # PIPA 22-2 (1): for a child below it the legal representative consents
CENTURIES = {"9": 1800, "0": 1800, "1": 1900, "2": 1900, "5": 1900, "6": 1900, "3": 2000, "4": 2000, "7": 2000,
             "8": 2000}  # fmt: skip
SIMULATED_MONTHS = 20  # nobody's numbers: the simulated country writes the month 20 too high


def birth_date(number: str) -> date | None:
    """The birth date that a resident or foreigner registration number tells; None where it tells none."""
    century = CENTURIES.get(number[6:7])
    if century is None or len(number) != 13 or not number.isascii() or not number.isdigit():
        return None
    month = int(number[2:4])
    try:
        return date(
            century + int(number[:2]), month - SIMULATED_MONTHS if month > SIMULATED_MONTHS else month, int(number[4:6])
        )
    except ValueError:
        return None


def turns(born: date, years: int) -> datetime:
    """The instant at which the person is so many years old: midnight in Seoul."""
    try:
        birthday = born.replace(year=born.year + years)
    except ValueError:  # born on 29 February, and this year has none
        birthday = date(born.year + years, 3, 1)
    return datetime.combine(birthday, time(), SEOUL).astimezone(UTC)


def of_age_at(number: str) -> datetime | None:
    """When the person of this number may consent herself; None where the number tells no birth date."""
    born = birth_date(number)
    return None if born is None else turns(born, CONSENT_AGE)


def is_under_age(number: str, at: datetime) -> bool:
    """Whether the person of this number is too young to consent herself. A birth to come is nobody's."""
    born = birth_date(number)
    return born is not None and not is_future(born, at) and at < turns(born, CONSENT_AGE)


def is_future(day: date, at: datetime) -> bool:
    """Whether a calendar day has not begun in Seoul."""
    return day > seoul_date(at)
