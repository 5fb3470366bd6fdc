"""The official names and domains that published columns use: `terms.tsv`, `domains.tsv` in, departures out (P11).

Names are those of 공공데이터 공통표준용어, 7th edition. `status` says how a name came about: `term7` is a term of that
edition, `word7` is made of its words, `local` is the project's own. Domains are the 112 of the same
edition; each fixes type, length and scale, and the physical type follows.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from schemas.column import Column

FILE = Path(__file__).parent / "terms.tsv"
DOMAINS_FILE = Path(__file__).parent / "domains.tsv"
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


@dataclass(frozen=True)
class Domain:
    """One official domain: CHAR, VARCHAR, NUMERIC or DATETIME; size in characters or digits, scale in digits."""

    domain: str
    type: str
    size: int
    scale: int
    edition: str

    @property
    def physical_types(self) -> tuple[str, ...]:
        """How a contract may store it; the first is the usual one."""
        if self.type == "DATETIME":
            return ("timestamp",)
        if self.type == "NUMERIC":
            return (f"numeric({self.size},{self.scale})",) if self.scale else ("bigint",)
        return "varchar", f"varchar({self.size})", f"char({self.size})"


@cache
def domains(file: Path = DOMAINS_FILE) -> dict[str, Domain]:
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {
            r["domain"]: Domain(r["domain"], r["type"], int(r["size"] or 0), int(r["scale"] or 0), r["edition"])
            for r in rows
        }


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
    """Type and length that a domain states: 명V100, 코드C2, 금액N15, 연월일시분초D."""
    domain = domains().get(column.domain or "")
    if domain is None:
        return f"has domain {column.domain}, which schemas/domains.tsv lacks."
    size, whole = domain.size, domain.size - domain.scale
    is_number = column.logical_type == ("number" if domain.scale else "integer")
    if domain.type.endswith("CHAR") and (column.logical_type != "string" or not 0 < (column.max_length or 0) <= size):
        return f"must be text of at most {size} characters, as its domain says."
    if domain.type == "NUMERIC" and not (is_number and column.maximum is not None and column.maximum < 10**whole):
        return f"must be a number of at most {whole} digits, as its domain says."
    if domain.type == "DATETIME" and column.logical_type != "timestamp":
        return "must be a timestamp, as its domain says."
    if column.physical_type not in domain.physical_types:
        return f"must be stored as {domain.physical_types[0]}, not {column.physical_type}, as its domain says."
    return None
