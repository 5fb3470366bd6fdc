"""Check digits are soft and dated: a number that cannot have one is not judged."""

from datetime import date

import pytest

from schemas import check_digits
from schemas.check_digits import corporate_check_digit, corporate_fits, resident_fits


def test_a_corporate_number_of_before_2025_has_a_check_digit_and_a_later_one_has_none() -> None:
    """9+9·2+0+1·2+1+1·2+…+1·2 = 34, and 6 more are 40."""
    number = "9901110000016"
    odd = number[:12] + str((int(number[12]) + 1) % 10)
    assert corporate_check_digit(number[:12]) == int(number[12])
    assert [corporate_fits(n, "20250130") for n in (number, odd)] == [True, False]
    assert [corporate_fits(n, day) for n in (number, odd) for day in ("20250131", None)] == [None] * 4
    assert corporate_fits(number[:12], "20000101") is None


def resident(first: str) -> tuple[str, str]:
    """The numbers that begin so with the check digit and with the next one. Of 1890: nobody alive has one."""
    total = sum(w * int(d) for w, d in zip((2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), first, strict=True))
    digit = (11 - total % 11) % 10
    return f"{first}{digit}", f"{first}{(digit + 1) % 10}"


@pytest.mark.parametrize(
    ("first", "is_judged"),
    [
        pytest.param("900101999999", True, id="born on the last day before the numbers became random"),
        pytest.param("900102999999", False, id="born on the first day since"),
        pytest.param("902101199999", False, id="simulated: month plus 20"),
        pytest.param("902101599999", False, id="a foreigner"),
        pytest.param("900230999999", False, id="no day"),
    ],
)
def test_a_resident_number_is_judged_where_the_rule_applies(
    first: str, is_judged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day of the rule is put where nobody alive was born."""
    assert date(2020, 10, 5) == check_digits.LAST_RESIDENT
    monkeypatch.setattr(check_digits, "LAST_RESIDENT", date(1890, 1, 2))
    fits = [resident_fits(n) for n in resident(first)]
    assert fits == ([True, False] if is_judged else [None, None])


def test_what_is_no_number_is_not_judged() -> None:
    assert resident_fits("900101-9000000") is None
    assert resident_fits("") is None
