"""Each field says where its definition comes from, in words that a machine tells apart."""

from dataclasses import replace
from pathlib import Path

import pytest

from schemas.cited import citations, texts
from schemas.column import Column
from schemas.contract import Contract, load_all, source, sources
from schemas.errors import MalformedContract
from schemas.provenance import cited, content, definition, provenance

COLUMN = Column("NOTE", "비고", "string", is_required=False, classification="public")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("가족관계등록법 제15조", "statute"),
        ("가족관계등록규칙 제21조의2 ①", "statute"),
        ("부동산등기법 제15·34·40조", "statute"),
        ("인터넷에 의한 등기기록의 열람 등에 관한 업무처리지침 제11조의4", "statute"),
        ("주민등록법 시행규칙 별지 제13호의2서식", "form"),
        ("주민등록법 시행규칙 제12조 별지 제13호 서식 (앞쪽)", "form"),
        ("법인 등기사항전부증명서 발급 서식", "form"),
        ("공공데이터 공통표준용어 제7차", "standard"),
        ("Composed of words of 공공데이터 공통표준단어 제7차", "standard"),
        ("General knowledge of the printed forms (unverified)", "general"),
        ("General knowledge, see 소득세법 제1조", None),
        ("가족관계등록법", None),
        ("법인 등기사항전부증명서", None),
        ("발급 서식", None),
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


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("가족관계등록규칙 제21조의2 ①", "가족관계등록규칙"),
        ("국세징수법 시행령 제95조", "국세징수법 시행령"),
        ("부동산등기법 제34·40조", "부동산등기법"),
        ("주민등록법 시행규칙 별지 제13호의2서식", "주민등록법 시행규칙"),
        ("주민등록법 시행규칙 제12조 별지 제13호 서식", "주민등록법 시행규칙"),
        ("법인 등기사항전부증명서 발급 서식", "법인 등기사항전부증명서 발급 서식"),
        ("공공데이터 공통표준용어 제7차", None),
        ("General knowledge of 소득세법 제1조 (unverified)", None),
        (None, None),
    ],
)
def test_what_is_cited_is_told_apart_from_its_article(text: str | None, name: str | None) -> None:
    assert cited(replace(COLUMN, defined_by=text)) == name


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("주민등록법 시행규칙 별지 제1호서식", (0, 1)),
        ("부동산등기법 제48조", (1, 0)),
        ("공공데이터 공통표준용어 제7차", (0, 0)),
    ],
)
def test_statute_and_form_count_as_verified(text: str, counts: tuple[int, int]) -> None:
    contract = source("RRT")
    unverified = next(i for i, c in enumerate(contract.columns) if definition(c) == "general")
    columns = list(contract.columns)
    columns[unverified] = replace(columns[unverified], defined_by=text)
    was, now = provenance(contract), provenance(replace(contract, columns=tuple(columns)))
    assert (now.statute - was.statute, now.form - was.form) == counts
    assert now.verified - was.verified == sum(counts)
    assert now.fields == was.fields


def test_a_type_is_whole_only_when_every_field_is_defined() -> None:
    contract = source("GRDN")
    assert provenance(contract).is_whole
    for number, column in enumerate(contract.columns):
        if column not in contract.content:
            continue  # an identifier is the vault's affair
        columns = list(contract.columns)
        columns[number] = replace(column, defined_by="General knowledge of the printed forms (unverified)")
        assert not provenance(replace(contract, columns=tuple(columns))).is_whole


def test_at_least_twelve_document_types_are_defined_by_statute_or_form_alone() -> None:
    """Counted without the counter: no field of them says anything but an article or a form."""
    whole = {c.document_type for c in sources() if all(cited(column) for column in content(c))}
    assert whole == {c.document_type for c in sources() if provenance(c).is_whole}
    assert len(whole) >= 12


def test_every_text_that_may_be_cited_is_cited_and_no_other_is() -> None:
    assert sorted(texts()) == sorted({name for c in load_all() for name in citations(c)})
    assert list(texts()) == sorted(texts())


HEADER = "cited_as\tname\tkind\tas_of\tread_in\n"


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("cited_as\tname\n", "must begin with the line"),
        ("", "must begin with the line"),
        (HEADER + "여권법\t여권법\t법률\t2025-04-08\n", "line 2"),
        (HEADER + "여권법\t여권법\t법률\t2025년\tlegalize-kr\n", "line 2"),
        (HEADER + "여권법\t\t법률\t2025-04-08\tlegalize-kr\n", "line 2"),
        (HEADER + "여권법\t여권법\t법률\t2025-04-08\tlegalize-kr\n" * 2, "line 3"),
    ],
)
def test_a_broken_list_of_texts_is_refused_by_line(tmp_path: Path, text: str, finding: str) -> None:
    file = tmp_path / "cited.tsv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(MalformedContract, match=finding):
        texts(file)
