"""Where a field's definition comes from: a column's `definedBy` in, a kind of source and counts out.

    statute    an article of law, a decree, a court rule or an administrative rule (가족관계등록법 제15조)
    form       an official printed form (… 별지 제6호서식), or what an issued certificate shows (… 발급 서식)
    standard   a term or word of 공공데이터 공통표준용어; it defines the name, not what the certificate says
    general    general knowledge of the printed forms, not verified

Statute and form count as verified: `schemas/cited.tsv` says which text was read. Try it: `python -c "from schemas
import contract, provenance as p; print(p.provenance(contract.source('FAMR')))"`
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from schemas.column import Column
from schemas.contract import Contract

Definition = Literal["statute", "form", "standard", "general"]

_NAME = r"[가-힣0-9](?:[가-힣0-9ㆍ· ]*?[가-힣0-9])??"  # lazy: it ends before the first article
_ARTICLE = r"제\d+(?:[·,]\d+)*조(?:의\d+)?"
_KINDS: tuple[tuple[Definition, re.Pattern[str]], ...] = (
    ("general", re.compile(r"General knowledge of .+ \(unverified\)")),
    ("form", re.compile(rf"(?P<cited>{_NAME})(?: {_ARTICLE})? 별지 제\d+호(?:의\d+)?\s?서식.*")),
    ("form", re.compile(rf"(?P<cited>{_NAME} 발급 서식)")),
    ("statute", re.compile(rf"(?P<cited>{_NAME}) {_ARTICLE}(?: .*)?")),
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

    @property
    def is_whole(self) -> bool:
        return self.verified == self.fields


def definition(column: Column) -> Definition | None:
    """The kind of source that `definedBy` names, or None where it names none of the four."""
    found = _read(column)
    return found[0] if found else None


def cited(column: Column) -> str | None:
    """The statute, rule or form that `definedBy` names, its article apart; None where it names none of them."""
    found = _read(column)
    return found[1].groupdict().get("cited") if found else None


def provenance(contract: Contract) -> Provenance:
    """Counted over a source contract's content, groups included; identifiers are the vault's affair."""
    kinds = [definition(c) for c in content(contract)]
    return Provenance(contract.document_type, len(kinds), kinds.count("statute"), kinds.count("form"))


def content(contract: Contract) -> tuple[Column, ...]:
    """The columns of a contract that say something, its own and those of its groups."""
    return (*contract.content, *(c for g in contract.groups for c in g.content))


def _read(column: Column) -> tuple[Definition, re.Match[str]] | None:
    return next(_matches(column.defined_by or ""), None)


def _matches(text: str) -> Iterator[tuple[Definition, re.Match[str]]]:
    yield from ((kind, found) for kind, shape in _KINDS if (found := shape.fullmatch(text)))
