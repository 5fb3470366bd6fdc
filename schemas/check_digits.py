"""Check digits of numbers, soft and dated: whether one fits, or None where no rule applies. Never a reason to refuse.

Resident numbers that were issued since 2020-10-05 end in random digits (주민등록법 시행규칙 제2조); the day of issue is
not known, so the rule is asked of who was born before, and a number that was issued anew may rightly not fit. Corporate
numbers that were given since 2025-01-31 have no check digit (법인 및 재외국민의 부동산등기용등록번호 부여에 관한 규칙).
Simulated resident numbers, 20 added to the month, have none either; nor are foreigners' numbers judged, whose rule no
text states.

Try it: `python -c "from schemas.check_digits import *; print(corporate_fits('9901110000016', '20000101'))"`
"""

import re
from datetime import date

LAST_RESIDENT = date(2020, 10, 5)
LAST_CORPORATE = "20250131"
_RESIDENT_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_CENTURIES = {"9": 1800, "0": 1800, "1": 1900, "2": 1900, "3": 2000, "4": 2000}
_THIRTEEN = re.compile("[0-9]{13}")


def resident_fits(number: str) -> bool | None:
    """Of a national born before the numbers became random."""
    if not _THIRTEEN.fullmatch(number) or number[6] not in _CENTURIES:
        return None
    try:
        born = date(_CENTURIES[number[6]] + int(number[:2]), int(number[2:4]), int(number[4:6]))
    except ValueError:
        return None  # no day: its form is judged elsewhere
    if born >= LAST_RESIDENT:
        return None
    total = sum(w * int(d) for w, d in zip(_RESIDENT_WEIGHTS, number, strict=False))
    return (11 - total % 11) % 10 == int(number[12])


def corporate_fits(number: str, made_on: str | None) -> bool | None:
    """Of a corporation that got its number on this day (YYYYMMDD); None where the day is not known."""
    if not _THIRTEEN.fullmatch(number) or made_on is None or made_on >= LAST_CORPORATE:
        return None
    return corporate_check_digit(number[:12]) == int(number[12])


def corporate_check_digit(twelve: str) -> int:
    total = sum(int(d) * (1, 2)[place % 2] for place, d in enumerate(twelve))
    return (10 - total % 10) % 10
