"""Which code follows an abolished one: found where it is certain, left open where it is not.

No official table names successors. A code that was made on the day on which another ended, and that has the same name
within the same (or the renamed, or the moved) province, county and town, is its successor. Where several fit, or none
(an area was split, or joined to another), nothing is said: a code is never guessed.

Try it: `python -c "from schemas.codes import regions; print([r for r in regions('stdg') if r.code == '4711025000'])"`
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from schemas.codes import Region

# Provinces that became others by law, and counties that changed province whole.
RENAMED = {
    "부산직할시": "부산광역시",
    "대구직할시": "대구광역시",
    "인천직할시": "인천광역시",
    "광주직할시": "광주광역시",
    "대전직할시": "대전광역시",
    "경상남도 울산시": "울산광역시",
    "제주도": "제주특별자치도",
    "강원도": "강원특별자치도",
    "전라북도": "전북특별자치도",
}
Regions = Mapping[str, Region]
Made = Mapping[tuple[int, str], list[Region]]  # by level and last word of the name


def succeeded(known: Regions) -> dict[str, Region]:
    """The regions with successors, and with the day of abolition where only the successor tells it."""
    made: defaultdict[tuple[int, str], list[Region]] = defaultdict(list)
    for region in known.values():
        made[_level(region.code), _last(region)].append(region)
    found = {code: replace(r, successor="") for code, r in known.items()}
    for code in sorted(found, key=lambda c: (_level(c), c)):  # provinces before counties before towns
        if not found[code].is_live:
            follower = _successor(found[code], found, made)
            if follower is not None:
                ended = found[code].abolished_on or follower.created_on
                found[code] = replace(found[code], successor=follower.code, abolished_on=ended)
    return dict(sorted(found.items()))


def _successor(region: Region, found: Regions, made: Made) -> Region | None:
    level = _level(region.code)
    wanted = _words_after(region, found)
    same_name = [c for c in made.get((level, wanted[-1]), ()) if _follows(c, region)]
    for rule in (_is_same, _is_same_but_for_a_borough):
        fitting = [c for c in same_name if rule(wanted, c.name_ko.split())]
        if fitting:
            return fitting[0] if len(fitting) == 1 else None
    if level == 2:
        return same_name[0] if len(same_name) == 1 else None  # the county moved to another province
    if level >= 3:
        return _moved_within(region, wanted, same_name, made) or _promoted(region, wanted, made)
    return None


def _words_after(region: Region, found: Regions) -> list[str]:
    """The name as it would be after what happened to the region that it lies in."""
    words = region.name_ko.split()
    above = next((found[p] for p in _parents(region.code) if p in found), None)
    if above is not None and above.successor:
        return [*found[above.successor].name_ko.split(), words[-1]]
    for former, name in RENAMED.items():
        old = former.split()
        if words[: len(old)] == old and (above is None or not above.is_live):
            return [*name.split(), *words[len(old) :]]
    return words


def _moved_within(region: Region, wanted: list[str], same_name: list[Region], made: Made) -> Region | None:
    """Town and village under another county of the province: one that left, one that came, on one day."""
    tail = 1 if _level(region.code) == 3 else 2
    came = [c for c in same_name if _tail(c, tail) == wanted[-tail:] and c.name_ko.split()[0] == wanted[0]]
    left = [
        r
        for r in made[_level(region.code), _last(region)]
        if not r.is_live and r.abolished_on == region.abolished_on and _tail(r, tail) == _tail(region, tail)
        and r.name_ko.split()[0] == region.name_ko.split()[0]
    ]  # fmt: skip
    return came[0] if len(came) == len(left) == 1 else None


def _promoted(region: Region, wanted: list[str], made: Made) -> Region | None:
    """A 면 that became a 읍 whole (지방자치법 제10조 ②)."""
    if _level(region.code) != 3 or not wanted[-1].endswith("면"):
        return None
    grown = [*wanted[:-1], wanted[-1][:-1] + "읍"]
    fitting = [c for c in made.get((3, grown[-1]), ()) if _follows(c, region) and c.name_ko.split() == grown]
    return fitting[0] if len(fitting) == 1 else None


def _follows(candidate: Region, region: Region) -> bool:
    """Made on the day on which the other ended, and not ended on that very day."""
    if candidate.code == region.code or not candidate.created_on:
        return False
    if not region.abolished_on:  # it left between two editions: the newer one says what came after the older
        return candidate.is_live and candidate.created_on > "".join(c for c in region.source if c.isdigit())
    return candidate.created_on == region.abolished_on and candidate.abolished_on != region.abolished_on


def _is_same(wanted: list[str], name: list[str]) -> bool:
    return wanted == name


def _is_same_but_for_a_borough(wanted: list[str], name: list[str]) -> bool:
    """A city's boroughs (구) came or went between it and its towns."""
    return _without_boroughs(wanted) == _without_boroughs(name) and len(wanted) != len(name)


def _without_boroughs(words: list[str]) -> list[str]:
    return [w for i, w in enumerate(words) if not (w.endswith("구") and i == 2 and words[1].endswith("시"))]


def _level(code: str) -> int:
    return 1 if code[2:] == "0" * 8 else 2 if code[5:] == "0" * 5 else 3 if code[8:] == "00" else 4


def _parents(code: str) -> Iterator[str]:
    """From the nearest: town, borough or county, city, province."""
    yield from (p for p in (code[:8] + "00", code[:5] + "0" * 5, code[:4] + "0" * 6, code[:2] + "0" * 8) if p != code)


def _last(region: Region) -> str:
    return region.name_ko.split()[-1]


def _tail(region: Region, words: int) -> list[str]:
    return region.name_ko.split()[-words:]
