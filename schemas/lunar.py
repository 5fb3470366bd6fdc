"""The lunar calendar of Korea: which day of the sun each lunar month begins on, 1900 to 2050.

`lunar_months.tsv` holds a row for each lunar month (a leap month, 윤달, bears the number of the month before it): its
first day by the sun and how many days it has. It was made from `korean-lunar-calendar` 0.4.0 (MIT), which follows the
tables of 한국천문연구원, by walking every day of the sun. Staging models join it; the quality gate takes from it which
lunar days there are.

Try it: `python -c "from schemas.lunar import solar; print(solar('20240101'))"` (20240210)
"""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pyarrow as pa

FILE = Path(__file__).parent / "lunar_months.tsv"
SCHEMA = pa.schema(
    [
        pa.field("month", pa.string()),
        pa.field("is_leap", pa.bool_()),
        pa.field("first_day", pa.date32()),
        pa.field("days", pa.int32()),
    ]
)

_TO_29 = "(?:0[1-9]|[12][0-9])"


@dataclass(frozen=True, slots=True)
class Month:
    """A lunar month: `month` is YYYYMM, `first_day` a day of the sun."""

    month: str
    is_leap: bool
    first_day: date
    days: int


@cache
def months(file: Path = FILE) -> tuple[Month, ...]:
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t"))[1:]
    return tuple(
        Month(m, leap == "Y", date(int(d[:4]), int(d[4:6]), int(d[6:])), int(days)) for m, leap, d, days in rows
    )


def solar(day: str, *, is_leap: bool = False) -> str | None:
    """The day of the sun (YYYYMMDD) of a lunar one; None where that month has no such day."""
    for month in months():
        if month.month == day[:6] and month.is_leap == is_leap and 1 <= int(day[6:]) <= month.days:
            return f"{month.first_day + timedelta(days=int(day[6:]) - 1):%Y%m%d}"
    return None


@cache
def table() -> pa.Table:
    """The months, as the staging models read them."""
    return pa.Table.from_pylist([{f: getattr(m, f) for f in SCHEMA.names} for m in months()], schema=SCHEMA)


@cache
def lunar_day_shape() -> str:
    """A regular expression of every lunar day there is, as a holder writes it: 음YYYYMMDD, 음윤YYYYMMDD."""
    leap = [m for m in months() if m.is_leap]
    full = "|".join(m.month for m in months() if m.days == 30 and not m.is_leap)
    full_leap = "|".join(m.month for m in leap if m.days == 30)
    last = months()[-1].month
    usual = f"(?:19[0-9]{{2}}|20[0-4][0-9])(?:0[1-9]|1[0-2])|{last[:4]}(?:0[1-9]|{last[4:]})"
    own = f"(?:{usual}){_TO_29}|(?:{full})30"
    return f"음(?:{own}|윤(?:(?:{'|'.join(m.month for m in leap)}){_TO_29}|(?:{full_leap})30))"
