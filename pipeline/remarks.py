"""What is noted of identifiers before they become keys: counts for `ops/verdicts`, never a number, never a failing row.

A holder's line names persons by resident numbers. One whose check digit does not fit may be a slip of the pen, or a
number issued anew since 2020-10; nobody can tell, so nothing is refused (`schemas.check_digits`).
"""

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from quality.notes import note
from quality.verdict import ExpectationResult
from schemas.check_digits import resident_fits
from schemas.contract import Contract

SENTENCE = "has the check digit of a number issued before 2020-10"


def judged(contract: Contract, delivered: pa.Table) -> Iterator[tuple[str, bool]]:
    """Of each resident number of a line that the rule is asked of: its group, and whether the check digit fits."""
    for group in contract.groups:
        person = group.person
        if person is not None and person.identifier_kind == "RRN":
            lines = pc.list_flatten(delivered.column(group.name))
            for number in pc.struct_field(lines, person.name).to_pylist():
                fits = resident_fits(number) if number is not None else None
                if fits is not None:
                    yield group.name, fits


def remarks(contract: Contract, counted: Mapping[tuple[str, bool], int]) -> tuple[ExpectationResult, ...]:
    """One note for each group whose lines name persons by resident numbers."""
    groups = [g.name for g in contract.groups if g.person is not None and g.person.identifier_kind == "RRN"]
    found = {g: (counted.get((g, True), 0), counted.get((g, False), 0)) for g in groups}
    return tuple(note(contract, g, "_person_key", SENTENCE, fit + odd, odd) for g, (fit, odd) in found.items())
