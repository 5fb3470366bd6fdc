"""Which text stands behind a citation: `cited.tsv` in, the statutes, rules and forms that somebody read out.

A column's `definedBy` may cite only what was read. Each line says how the contracts cite a text, its full name, what it
is, of which day the text is (its last amendment, or the day of the form), and where it was read. Names are the official
short ones of the national law database.

Try it: `python -c "from schemas.cited import texts; print(texts()['여권법'])"`
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from schemas.contract import Contract
from schemas.errors import MalformedContract
from schemas.provenance import cited, content

FILE = Path(__file__).parent / "cited.tsv"
HEADER = ["cited_as", "name", "kind", "as_of", "read_in"]


@dataclass(frozen=True)
class Text:
    """A statute, rule or form as it was read."""

    cited_as: str
    name: str
    kind: str
    as_of: date
    read_in: str


@cache
def texts(file: Path = FILE) -> dict[str, Text]:
    """What may be cited, by the name that contracts cite. Raises MalformedContract naming the line."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    if rows[:1] != [HEADER]:
        raise MalformedContract(f"{file.name} must begin with the line {' '.join(HEADER)}.")
    found: dict[str, Text] = {}
    for number, row in enumerate(rows[1:], start=2):
        text = _text(row)
        if text is None or text.cited_as in found:
            raise MalformedContract(f"{file.name}, line {number}: five filled fields, each name once, the day as ISO.")
        found[text.cited_as] = text
    return found


def _text(row: Sequence[str]) -> Text | None:
    if len(row) != len(HEADER) or not all(row):
        return None
    cited_as, name, kind, as_of, read_in = row
    try:
        return Text(cited_as, name, kind, date.fromisoformat(as_of), read_in)
    except ValueError:
        return None


def citations(contract: Contract) -> tuple[str, ...]:
    """The statutes, rules and forms that a contract's columns cite, each once, in the columns' order."""
    return tuple(dict.fromkeys(c for column in content(contract) if (c := cited(column)) is not None))


def unread(contracts: Sequence[Contract]) -> Iterator[str]:
    """Findings: citations of what nobody read, and texts that no contract cites any more."""
    for contract in contracts:
        yield from (
            f"{contract.id}: cites {name} (definedBy), which schemas/cited.tsv does not have: read it, add its line."
            for name in citations(contract)
            if name not in texts()
        )
    cited_names = {name for contract in contracts for name in citations(contract)}
    yield from (
        f"schemas/cited.tsv: no contract cites {name}: remove its line." for name in texts() if name not in cited_names
    )
