"""What a region's code means on a day: one list for the quality gate, the staging models and the simulated world.

`since(name)` says from which day a code exists, `ended(name)` until when, `successions(name)` which code stands for it
in which days after its own. Days are YYYYMMDD; intervals are half open.

Try it: `python -c "from schemas.succession import meaning; print(meaning('stdg', '4211010100', '20260601'))"` (51110…)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import pyarrow as pa

from schemas.codes import REGION_LISTS, regions

FAR = "99999999"
BEGINNING = "19880423"  # of the register of codes; cities directly under the state were made some years before
# How a province's name is abbreviated. Dates decide between one of today and one of before.
SHORT = {
    "서울특별시": ("서울", "서울시"),
    "부산직할시": ("부산", "부산시"),
    "부산광역시": ("부산", "부산시"),
    "대구직할시": ("대구", "대구시"),
    "대구광역시": ("대구", "대구시"),
    "인천직할시": ("인천", "인천시"),
    "인천광역시": ("인천", "인천시"),
    "광주직할시": ("광주",),
    "광주광역시": ("광주",),
    "대전직할시": ("대전", "대전시"),
    "대전광역시": ("대전", "대전시"),
    "울산광역시": ("울산", "울산시"),
    "세종특별자치시": ("세종", "세종시"),
    "경기도": ("경기",),
    "강원도": ("강원",),
    "강원특별자치도": ("강원", "강원자치도"),
    "충청북도": ("충북",),
    "충청남도": ("충남",),
    "전라북도": ("전북",),
    "전북특별자치도": ("전북", "전북자치도"),
    "전라남도": ("전남",),
    "경상북도": ("경북",),
    "경상남도": ("경남",),
    "제주도": ("제주",),
    "제주특별자치도": ("제주", "제주자치도"),
}
SUCCESSIONS_SCHEMA = pa.schema(
    [pa.field(n, pa.string()) for n in ("code_list", "code", "from_day", "until_day", "successor")]
)


@dataclass(frozen=True, slots=True)
class Succession:
    """From `from_day` until before `until_day`, `successor` means what `code` meant."""

    from_day: str
    until_day: str
    successor: str


@cache
def successions(name: str) -> Mapping[str, tuple[Succession, ...]]:
    """Of each abolished code whose successor is known: the codes that stood for it since, in order."""
    known = {r.code: r for r in regions(name)}

    def after(code: str) -> Iterator[Succession]:
        region = known[code]
        while region.successor:
            follower = known[region.successor]
            yield Succession(region.abolished_on, follower.abolished_on or FAR, follower.code)
            region = follower

    return {r.code: tuple(after(r.code)) for r in known.values() if r.successor}


@cache
def since(name: str) -> Mapping[str, str]:
    """The first day of each code of which one is stated."""
    return {r.code: r.created_on for r in regions(name) if r.created_on}


@cache
def ended(name: str) -> Mapping[str, str]:
    """The first day on which an abolished code is none any more; empty where nobody states it."""
    return {r.code: r.abolished_on for r in regions(name) if not r.is_live}


def meaning(name: str, code: str, day: str) -> str:
    """The code that meant on that day what this one means; itself where nobody can tell."""
    for one in successions(name).get(code, ()):
        if one.from_day <= day < one.until_day:
            return one.successor
    return code


def is_left_open(name: str, code: str, day: str) -> bool:
    """Whether a code was abolished by that day, or on a day unknown, and no other one stands for it."""
    last = ended(name).get(meaning(name, code, day))
    return last is not None and (not last or last <= day)


def provinces() -> Iterator[tuple[str, str, str, str]]:
    """What may stand for a province in an address, from which day until before which, and its name in those days."""
    known = {r.code: r for r in regions("stdg") if r.code.endswith("0" * 8)}
    for code, region in known.items():
        several = [Succession(region.created_on, region.abolished_on or FAR, code), *successions("stdg").get(code, ())]
        for one in several[1:]:
            yield region.name_ko, one.from_day, one.until_day, known[one.successor].name_ko
        for short in SHORT.get(region.name_ko, ()):
            first = several[0].from_day or (BEGINNING if region.name_ko.endswith("직할시") else "")
            yield short, first, several[0].until_day, region.name_ko


@cache
def province_table() -> pa.Table:
    """The provinces' names, as the staging models read them."""
    return pa.table(
        [pa.array(c, pa.string()) for c in zip(*provinces(), strict=True)],
        schema=pa.schema([pa.field(n, pa.string()) for n in ("written", "from_day", "until_day", "name")]),
    )


@cache
def table() -> pa.Table:
    """The successions of every region list, as the staging models read them."""
    rows = [
        (name, code, one.from_day, one.until_day, one.successor)
        for name in REGION_LISTS
        for code, several in successions(name).items()
        for one in several
    ]
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(c, pa.string()) for c in columns], schema=SUCCESSIONS_SCHEMA)
