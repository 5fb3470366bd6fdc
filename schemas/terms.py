"""The official names that published columns use: `terms.tsv` in, and what departs from them out (P11).

Names are those of 공공데이터 공통표준용어, 7th edition. `status` says how a name came about: `term7` is a term of that
edition, `word7` is made of its words, `local` is the project's own.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from schemas.contract import Column

FILE = Path(__file__).parent / "terms.tsv"
STATUSES = ("term7", "word7", "local")


@dataclass(frozen=True)
class Term:
    """One official (or local) name that published columns use. `note` says where the project departs from it."""

    term: str
    korean: str
    domain: str
    edition: str
    status: str
    note: str


@cache
def terms(file: Path = FILE) -> dict[str, Term]:
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["term"]: Term(**row) for row in rows}


def departures(column: Column) -> Iterator[str]:
    """What a published column does otherwise than its term says."""
    term = terms().get(column.name)
    if term is None:
        yield f"{column.name} is not in schemas/terms.tsv (P11)."
        return
    if (term.korean, term.domain) != (column.korean, column.domain):
        yield f"{column.name} is {column.korean} {column.domain}, but {term.korean} {term.domain} in the terms."
    if term.status not in STATUSES:
        yield f"{column.name} has the unknown status {term.status} in the terms."
    if (finding := _domain(column)) is not None:
        yield f"{column.name} {finding}"


def _domain(column: Column) -> str | None:
    """Type and length that a domain's name states: 명V100, 코드C2, 금액N15, 연월일시분초D."""
    stated = re.fullmatch(r".+?([VCND])(\d+)?(?:,\d+)?", column.domain or "")
    if stated is None:
        return f"has domain {column.domain}, which states no type."
    kind, size = stated[1], int(stated[2] or 0)
    if kind in "VC" and (column.logical_type != "string" or not 0 < (column.max_length or 0) <= size):
        return f"must be text of at most {size} characters, as its domain says."
    is_number = column.logical_type in ("integer", "number")
    if kind == "N" and not (is_number and column.maximum is not None and column.maximum < 10**size):
        return f"must be a number of at most {size} digits, as its domain says."
    if kind == "D" and column.logical_type != "timestamp":
        return "must be a timestamp, as its domain says."
    return None
