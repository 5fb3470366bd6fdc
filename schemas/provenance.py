"""Where a field's definition comes from: a column's `definedBy` in, a kind of source and counts out.

    statute    an article of law, a decree or a court rule (가족관계등록법 제15조)
    form       an official printed form (… 별지 제6호서식)
    standard   a term or word of 공공데이터 공통표준용어; it defines the name, not what the certificate says
    general    general knowledge of the printed forms, not verified

Statute and form count as verified. Try it: `python -c "from schemas import contract, provenance as p;
print(p.provenance(contract.source('FAMR')))"`
"""

import re
from dataclasses import dataclass
from typing import Literal

from schemas.contract import Column, Contract

Definition = Literal["statute", "form", "standard", "general"]

_KINDS: tuple[tuple[Definition, re.Pattern[str]], ...] = (
    ("general", re.compile(r"General knowledge of .+ \(unverified\)")),
    ("form", re.compile(r".+ 별지 제\d+호(?:의\d+)?\s?서식.*")),
    ("statute", re.compile(r".+ 제\d+조(?:의\d+)?(?: .*)?")),
    ("standard", re.compile(r"(?:Composed of words of )?공공데이터 공통표준(?:용어|단어) 제\d+차")),
)


@dataclass(frozen=True)
class Provenance:
    """How many fields of a document type a statute or an official form defines, of how many."""

    document_type: str
    fields: int
    statute: int
    form: int

    @property
    def verified(self) -> int:
        return self.statute + self.form


def definition(column: Column) -> Definition | None:
    """The kind of source that `definedBy` names, or None where it names none of the four."""
    text = column.defined_by or ""
    return next((kind for kind, shape in _KINDS if shape.fullmatch(text)), None)


def provenance(contract: Contract) -> Provenance:
    """Counted over a source contract's content, groups included; identifiers are the vault's affair."""
    columns = [*contract.content, *(c for g in contract.groups for c in g.content)]
    kinds = [definition(c) for c in columns]
    return Provenance(contract.document_type, len(columns), kinds.count("statute"), kinds.count("form"))
