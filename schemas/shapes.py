"""Shapes of values, as regular expressions that Python's `re` reads: a real day, a hidden resident number.

Both say everything in the expression, so that an engine which knows only expressions decides as the project does.
Digits are spelled out: `\\d` would also match digits of other scripts.
"""

from schemas.lunar import lunar_day_shape

_D = "[0-9]"
_DAYS_31 = "(?:0[1-9]|[12][0-9]|3[01])"
_DAYS_30 = "(?:0[1-9]|[12][0-9]|30)"
_LEAP_YEARS = f"(?:{_D}{_D}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"  # 0000 is no year


def _day(between: str) -> str:
    """A day of the calendar with this between its parts, years 0001 to 9999, the range of domain 연월일C8."""
    lasting_31 = f"(?:0[13578]|1[02]){between}{_DAYS_31}"
    lasting_30 = f"(?:0[469]|11){between}{_DAYS_30}"
    february = f"02{between}(?:0[1-9]|1[0-9]|2[0-8])"
    usual = f"(?!0000){_D}{{4}}{between}(?:{lasting_31}|{lasting_30}|{february})"
    return f"(?:{usual}|{_LEAP_YEARS}{between}02{between}29)"


_KNOWN_IN_PART = f"(?!0000){_D}{{4}}(?:00|0[1-9]|1[0-2])00"

# A day of the calendar as YYYYMMDD.
REAL_DAY = rf"\A{_day('')}\Z"
# The same, or its year or month alone, 00 standing for what nobody knows.
PARTIAL_DAY = rf"\A(?:{_day('')}|{_KNOWN_IN_PART})\Z"
# A day as some holders write it: with dots, hyphens or slashes, or by the lunar calendar (`schemas.lunar`).
WRITTEN_DAY = rf"\A(?:{'|'.join(_day(mark) for mark in ('', '[.]', '-', '/'))}|{lunar_day_shape()})\Z"
WRITTEN_PARTIAL_DAY = rf"{WRITTEN_DAY[:-3]}|{_KNOWN_IN_PART})\Z"

_BLANK = r"[\s\u200b-\u200d\u2060\ufeff]"
_MARK = r"[-.·_/~\u00ad\u2010-\u2015\u2212\uff0d\uff0e\u30fb]"
_MARKED = f"{_BLANK}?{_MARK}{_BLANK}?"


def _digits(text: str) -> str:
    """The digits in narrow or full-width form, blanks allowed between them; `?` stands for any digit."""
    return f"{_BLANK}?".join("[0-9０-９]" if c == "?" else f"[{c}{chr(ord(c) + 0xFEE0)}]" for c in text)


def _one_of(numbers: list[int]) -> str:
    return "(?:" + "|".join(_digits(f"{n:02d}") for n in numbers) + ")"


def _birthday(between: str) -> str:
    """Year, month and day. Simulated numbers add 20 to the month, so that months 21 to 32 are found too."""
    lengths = {31: [1, 3, 5, 7, 8, 10, 12], 30: [4, 6, 9, 11], 29: [2]}
    month_and_day = "|".join(
        _one_of([*months, *(m + 20 for m in months)]) + between + _one_of(list(range(1, days + 1)))
        for days, months in lengths.items()
    )
    return f"{_digits('??')}{between}(?:{month_and_day})"


def _century(between: str) -> str:
    return "(?:(?:" + "|".join(_digits(c) for c in ("18", "19", "20")) + f"){between})?"


# A resident or foreigner number inside text (F45): six digits that are a birthday, a digit for sex and century, six
# more; with hyphen, dots or spaces, in full-width digits, of any century, the year in two digits or four. A birthday is
# marked throughout (90-01-01) or not at all, or every serial number that starts with a year would be one. No checksum:
# numbers issued since 2020-10 have none.
HIDDEN_RESIDENT_NUMBER = (
    r"(?<![0-9０-９])(?:"
    + f"{_century(f'{_BLANK}?')}{_birthday(f'{_BLANK}?')}|{_century('')}{_birthday(_MARKED)}"
    + f"){_BLANK}?{_MARK}?{_BLANK}?{_digits('???????')}"
    + r"(?![0-9０-９])"
)
# The shortest form of one, in characters.
RESIDENT_NUMBER_LENGTH = 13
