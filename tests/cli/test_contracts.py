"""`hanbeon contracts` answers in the terminal: the law behind the documents, without lake or database."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from hanbeon.settings import PROJECT
from schemas.contract import FOLDER
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
    whole = found.definitions
    assert numbers["definitions"] == asdict(whole)
    assert f"{whole.verified} of {whole.fields} fields ({whole.verified / whole.fields:.0%})" in said
    assert f"all fields of {whole.wholly} of {whole.document_types} document types" in said


HOUSEHOLD = FOLDER / "published" / "household_extract.yaml"


@pytest.fixture
def narrowed(tmp_path: Path) -> Path:
    file = tmp_path / "household_extract.yaml"
    file.write_text(HOUSEHOLD.read_text(encoding="utf-8").replace("maxLength: 100", "maxLength: 50"), encoding="utf-8")
    return file


def test_a_breaking_change_exits_with_one_and_says_whom_it_reaches(bare: Hanbeon, narrowed: Path) -> None:
    said = bare("contracts", "diff", str(HOUSEHOLD), str(narrowed), "--json")
    (change,) = json.loads(said.out)["changes"]
    assert said.code == 1
    assert (change["severity"], change["kind"], change["place"]) == ("breaking", "length_narrowed", "HSHLDR_NM")
    assert "SINGLE_PARENT" in change["services"]
    said = bare("contracts", "diff", str(HOUSEHOLD), str(narrowed))
    assert "urn:hanbeon:published:household_extract breaks. Raise its major version" in said.out


def test_a_new_version_in_the_former_s_place_exits_with_one_and_says_what_to_do(bare: Hanbeon, tmp_path: Path) -> None:
    for side, version in (("before", "1.0.0"), ("after", "2.0.0")):
        (tmp_path / side).mkdir()
        text = HOUSEHOLD.read_text(encoding="utf-8").replace("version: 1.0.0", f"version: {version}")
        length = 100 if side == "before" else 50
        (tmp_path / side / HOUSEHOLD.name).write_text(text.replace("maxLength: 100", f"maxLength: {length}"))
    said = bare("contracts", "diff", str(tmp_path / "before"), str(tmp_path / "after"), "--json")
    answer = json.loads(said.out)
    assert (said.code, answer["without_new_major_version"]) == (1, [])
    assert answer["without_overlap"] == ["urn:hanbeon:published:household_extract"]
    said = bare("contracts", "diff", str(tmp_path / "before"), str(tmp_path / "after"))
    assert "breaks who reads the version before. Keep that one beside it, deprecated, with its last day." in said.out


def test_the_other_way_round_is_compatible_and_good(bare: Hanbeon, narrowed: Path) -> None:
    said = bare("contracts", "diff", str(narrowed), str(HOUSEHOLD))
    assert said.code == 0
    assert "compatible" in said.out


@pytest.mark.skipif(not (PROJECT / ".git").exists(), reason="a git checkout would run it")
def test_a_revision_is_a_side(bare: Hanbeon) -> None:
    said = bare("contracts", "diff", "HEAD", "HEAD")
    assert (said.code, said.out) == (0, "Nothing changed.\n")


@pytest.mark.parametrize("named", ["no-such-revision", "--output=x"])
def test_what_is_no_side_is_wrong_usage(bare: Hanbeon, named: str) -> None:
    said = bare("contracts", "diff", "--", named, str(FOLDER))
    assert said.code == 2
    assert not list(Path.cwd().iterdir())
