"""Code lists: `codes/<name>.csv` in, entries and the set of valid codes out.

A list's `source` says who defined an entry; `local` marks one that this project made, so that nobody takes it for an
official code. Region lists (`stdg` 법정동, `hdong` 행정동) also say since when a code is, until when it was, and which
code followed it, so that an old record keeps its meaning; `schemas.region_edition` makes them. `digest` pins a list
(F25): it changes with any byte of its meaning.

Try it: `python -c "from schemas.codes import codes; print(sorted(codes('earn_se')))"`
"""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

from schemas.errors import MalformedContract

FOLDER = Path(__file__).parent / "codes"
HEADER = ("code", "name_ko", "name_en", "valid_from", "valid_to", "source")
REGION_HEADER = ("code", "name_ko", "created_on", "abolished_on", "state", "successor", "source")
REGION_LISTS = ("hdong", "stdg")
STATES = {"live": True, "abolished": False}


@dataclass(frozen=True)
class Entry:
    """One code. `valid_from` and `valid_to` are days (YYYYMMDD), empty where nobody states one."""

    code: str
    name_ko: str
    name_en: str
    valid_from: str
    valid_to: str
    source: str
    is_abolished: bool = False


@dataclass(frozen=True, slots=True)
class Region:
    """A region's code from `created_on` until before `abolished_on` (YYYYMMDD).

    Without `created_on` it is as old as anybody knows; abolished without `abolished_on`, it ended on a day that nobody
    states. `successor` is the code that means the same region from `abolished_on` on, where one does for certain.
    """

    code: str
    name_ko: str
    created_on: str
    abolished_on: str
    is_live: bool
    successor: str
    source: str


@cache
def names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Every list of the project."""
    return tuple(sorted(p.stem for p in folder.glob("*.csv")))


@cache
def entries(name: str, folder: Path = FOLDER) -> tuple[Entry, ...]:
    """A list in file order. Raises MalformedContract when it is missing, misshapen or names a code twice."""
    found = tuple(_file(folder / f"{name}.csv") if name not in REGION_LISTS else map(_entry, regions(name, folder)))
    if not found:
        raise MalformedContract(f"Code list {name} is empty. An empty list would let no value pass; fill or remove it.")
    if len({e.code for e in found}) < len(found):
        raise MalformedContract(f"Code list {name} names a code twice. Keep one entry for each code.")
    return found


@cache
def codes(name: str) -> frozenset[str]:
    """Every code of a list, abolished ones included. Raises MalformedContract when there is no such list."""
    return frozenset(e.code for e in entries(name))


@cache
def digest(name: str) -> str:
    """SHA-256 over the entries, independent of the file's quoting and line ends."""
    text = "\n".join("\t".join(map(str, astuple(e))) for e in entries(name))
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def regions(name: str, folder: Path = FOLDER) -> tuple[Region, ...]:
    """A region list in file order. Raises MalformedContract naming the line that cannot be."""
    found = tuple(_region(name, number, row) for number, row in _rows(folder / f"{name}.csv", REGION_HEADER))
    known = {r.code for r in found}
    for r in found:
        if r.successor and (r.is_live or r.successor not in known or not r.abolished_on):
            raise MalformedContract(
                f"Code list {name}, code {r.code}: its successor needs a day and a code of the list."
            )
    return found


def _region(name: str, number: int, row: list[str]) -> Region:
    code, name_ko, created_on, abolished_on, state, successor, source = row
    if not (code and name_ko and source and state in STATES):
        raise MalformedContract(f"Code list {name}, line {number}: code, name_ko, state or source is missing.")
    if STATES[state] and abolished_on:
        raise MalformedContract(f"Code list {name}, line {number}: a live code has no day of abolition.")
    return Region(code, name_ko, created_on, abolished_on, STATES[state], successor, source)


def _entry(region: Region) -> Entry:
    days = region.created_on, region.abolished_on
    return Entry(region.code, region.name_ko, "", *days, region.source, is_abolished=not region.is_live)


def _file(path: Path) -> Iterator[Entry]:
    for number, row in _rows(path, HEADER):
        if not row[0] or not row[1] or not row[5]:
            raise MalformedContract(f"Code list {path.stem}, line {number}: code, name_ko or source is missing.")
        code, name_ko, name_en, valid_from, valid_to, source = row
        yield Entry(code, name_ko, name_en, valid_from, valid_to, source)


def _rows(path: Path, header: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """Each line with its number; every line has as many values as the header."""
    if not path.is_file():
        raise MalformedContract(f"There is no code list {path.stem}. Known: {', '.join(names())}.")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        if tuple(next(rows, ())) != header:
            raise MalformedContract(f"Code list {path.stem} must start with the columns {', '.join(header)}.")
        for number, row in enumerate(rows, 2):
            if len(row) != len(header):
                raise MalformedContract(f"Code list {path.stem}, line {number}: it has not {len(header)} values.")
            yield number, row
