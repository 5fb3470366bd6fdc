"""`hanbeon contracts` answers in the terminal: the law behind the documents, without lake or database."""

import json

from schemas.coverage import coverage
from schemas.documents import as_data
from tests.cli.conftest import Hanbeon


def test_statutes_are_listed_by_document_and_law(bare: Hanbeon) -> None:
    said = bare("contracts", "statutes", "--document", "CORR", "--law", "국민건강보험법", "--json")
    rows = json.loads(said.out)
    assert said.code == 0
    (named,) = [r for r in rows if r["article"].startswith("제3조 ")]
    assert {"CORR", "BIZR"} == set(named["documents"])
    assert named["as_data"] == sorted(as_data() & {"CORR", "BIZR"})
    assert named["services"] == ["NHIS_WORKPLACE"]


def test_every_article_is_listed_when_nothing_is_named(bare: Hanbeon) -> None:
    assert len(json.loads(bare("contracts", "statutes", "--json").out)) == 2586


def test_a_law_that_asks_for_nothing_says_so(bare: Hanbeon) -> None:
    said = bare("contracts", "statutes", "--law", "없는 법")
    assert (said.code, said.out) == (0, "No article of the registry matches.\n")


def test_an_unknown_document_is_wrong_usage(bare: Hanbeon) -> None:
    said = bare("contracts", "statutes", "--document", "XXXX")
    assert said.code == 2
    assert "There is no document type XXXX" in said.err


def test_coverage_prints_the_numbers_that_its_json_has(bare: Hanbeon) -> None:
    numbers = json.loads(bare("contracts", "coverage", "--json").out)
    found = coverage()
    assert numbers["articles"]["fully"] == found.articles.fully
    said = bare("contracts", "coverage").out
    for count in (found.articles.fully, found.articles.partly, found.articles.not_at_all, found.articles.unnamed):
        assert f"{count:,}" in said
    assert "CORR" in said
    assert "75%" in said  # FAMR: nine of twelve fields are in the statute
