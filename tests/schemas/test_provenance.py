"""Each field says where its definition comes from, in words that a machine tells apart."""

from dataclasses import replace

import pytest

from schemas.contract import Column, Contract, load_all, source
from schemas.provenance import definition, provenance

COLUMN = Column("NOTE", "비고", "string", is_required=False, classification="public")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("가족관계등록법 제15조", "statute"),
        ("가족관계등록규칙 제21조의2 ①", "statute"),
        ("부동산등기법 제15·34·40조", "statute"),
        ("주민등록법 시행규칙 별지 제13호의2서식", "form"),
        ("주민등록법 시행규칙 제12조 별지 제13호 서식 (앞쪽)", "form"),
        ("공공데이터 공통표준용어 제7차", "standard"),
        ("Composed of words of 공공데이터 공통표준단어 제7차", "standard"),
        ("General knowledge of the printed forms (unverified)", "general"),
        ("General knowledge, see 소득세법 제1조", None),
        ("가족관계등록법", None),
        ("제15조", None),
        ("", None),
        (None, None),
    ],
)
def test_a_source_is_told_by_its_words(text: str | None, kind: str | None) -> None:
    assert definition(replace(COLUMN, defined_by=text)) == kind


@pytest.mark.parametrize("contract", load_all(), ids=lambda c: c.id.removeprefix("urn:hanbeon:"))
def test_every_field_of_every_contract_says_where_it_comes_from(contract: Contract) -> None:
    columns = [*contract.content, *(c for g in contract.groups for c in g.content)]
    assert [c.name for c in columns if definition(c) is None] == []


def test_statute_and_form_count_as_verified() -> None:
    contract = source("FAMR")
    first = replace(contract.columns[1], defined_by="주민등록법 시행규칙 별지 제1호서식")
    changed = replace(contract, columns=(contract.columns[0], first, *contract.columns[2:]))
    was, now = provenance(contract), provenance(changed)
    assert was.form == 0
    assert now.form == 1
    assert now.verified - was.verified == (definition(contract.columns[1]) != "statute")
