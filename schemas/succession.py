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
