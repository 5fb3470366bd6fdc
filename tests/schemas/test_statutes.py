"""The statute registry: every article, looked up by document and by law, and the coverage counted another way."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from hanbeon.errors import UsageError
from quality.gold import check_gold
from schemas import statutes
from schemas.contract import load_all, sources
from schemas.coverage import Counts, _weighted, coverage
from schemas.documents import Issuance, issuance
from schemas.errors import MalformedContract
from schemas.provenance import definition
from schemas.services import service, services
from schemas.statutes import (
    Article,
    articles,
    articles_of,
    find,
    law_and_article,
    loose,
    published_rows,
    shared_already,
)

# Counted by the research that found the articles, before this project had a line.
ARTICLES_BY_DOCUMENT = {
    "CORR": 1353, "BIZR": 590, "RRT": 233, "RRA": 221, "REGR_LAND": 202, "REGR_BLDG": 192, "BLDR": 173, "QUAL": 133,
    "FAMR": 124, "CADASTRAL_MAP": 112, "ARCF": 89, "MLSV": 38, "HINQ": 32, "DISB": 22, "INCM": 15, "GRDN": 2,
}  # fmt: skip


def raw() -> list[dict[str, str]]:
    with statutes.FILE.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_registry_holds_2586_articles_of_957_statutes() -> None:
    assert len(articles()) == 2586
    assert len({(a.law, a.kind) for a in articles()}) == 957
    assert sum(a.has_refusal_clause for a in articles()) == 1440


def test_articles_by_document_are_those_of_the_research() -> None:
    counted = Counter(d for a in articles() for d in a.documents)
    assert {d: counted[d] for d in ARTICLES_BY_DOCUMENT} == ARTICLES_BY_DOCUMENT
    assert {d.id: d.articles for d in coverage().documents if d.articles} == dict(counted)


def test_coverage_is_what_the_file_says_counted_without_the_loader() -> None:
    data = {c.properties["documentType"] for c in load_all() if c.kind == "source"}
    data |= {"REGR_LAND", "REGR_BLDG"} if "REGR" in data else set()
    fully = partly = not_at_all = unnamed = 0
    for row in raw():
        documents = row["documents"].split(",") if row["documents"] else []
        held = [d in data for d in documents]
        unnamed += not documents
        fully += bool(documents) and all(held)
        partly += any(held) and not all(held)
        not_at_all += bool(documents) and not any(held)
    found = coverage().articles
    assert found == Counts(fully, partly, not_at_all, unnamed)
    assert found.total == len(raw())


def test_a_document_s_articles_served_fully_and_those_it_would_unlock_are_counted() -> None:
    data = {c.document_type for c in sources()} | {"REGR_LAND", "REGR_BLDG"}  # two names of one type
    for document in coverage().documents:
        asking = [set(r["documents"].split(",")) for r in raw() if document.id in r["documents"].split(",")]
        if document.id.startswith("REGR"):
            continue  # two names of one type; counted in the test above
        assert document.fully == sum(asked <= data for asked in asking), document.id
        if document.document_type and not document.is_data:
            assert document.unlocks == sum(asked - data == {document.id} for asked in asking), document.id


def test_the_weighted_share_is_that_of_the_copies_of_known_issuance_counted_without_the_loader() -> None:
    data = {c.document_type for c in sources()} | {"REGR_LAND", "REGR_BLDG"}
    served = 0.0
    for figure in issuance():
        asking = [r["documents"].split(",") for r in raw() for d in r["documents"].split(",") if d in figure.documents]
        served += figure.copies * sum(set(documents) <= data for documents in asking) / len(asking)
    found = coverage().weighted
    assert found.known == ("RRT", "RRA", "BLDR")
    assert found.copies == 120_000_000
    assert found.served == pytest.approx(served)
    assert 0.5 < found.share < 1, "most articles on residents are served, some name what no type covers"
    assert found.unknown == len({d for a in articles() for d in a.documents}) - 3


def test_copies_go_to_articles_in_equal_parts() -> None:
    both, one, paper = (
        Article("법", "법률", f"제{n}조", documents, False)
        for n, documents in enumerate((("RRT", "RRA"), ("RRA",), ("RRT", "CADASTRAL_MAP")), 1)
    )
    figures = [Issuance(("RRT",), 100, 1999, "S", "test", ""), Issuance(("LUSE",), 7, 1999, "S", "test", "")]
    found = _weighted(frozenset({"RRT", "RRA"}), figures, [both, one, paper])
    assert (found.copies, found.served, found.share) == (100, 50.0, 0.5)
    assert (found.known, found.unknown) == (("RRT",), 2)


def test_the_published_rows_are_the_registry_s_lines_document_by_document() -> None:
    rows = published_rows().to_pylist()
    told = [
        (r["law"], r["kind"], r["article"], d or None, r["refusal_clause"])
        for r in raw()
        for d in r["documents"].split(",")
    ]
    names = ("STT_NM", "STT_KND_NM", "LPRVS_NM", "STT_RQDOC_NO", "AGRE_RFSL_PSBLTY_YN")
    assert [tuple(r[n] for n in names) for r in rows] == told
    data = {c.document_type for c in sources()}
    assert all((r["DATA_PVSN_YN"] == "Y") is (r["RQDOC_CD"] in data) for r in rows)
    resting = {s for r in rows for s in (r["SRVC_LIST_CN"] or "").split(",") if s}
    assert resting == {s.id for s in services() if articles_of(s)}
    assert not check_gold({"statute_articles": published_rows()}).failures


def test_services_are_counted_by_what_their_requirements_say() -> None:
    available = [{r.is_available for r in s.requirements} for s in services()]
    found = coverage().services
    assert found == Counts(
        sum(a == {True} for a in available),
        sum(a == {True, False} for a in available),
        sum(a == {False} for a in available),
    )


def test_the_verified_share_is_counted_for_each_document_that_comes_as_data() -> None:
    found = {p.document_type: p for p in coverage().provenance}
    assert set(found) == {c.document_type for c in sources()}
    for contract in sources():
        columns = [*contract.content, *(c for g in contract.groups for c in g.content)]
        verified = [c for c in columns if definition(c) in ("statute", "form")]
        assert (found[contract.document_type].fields, found[contract.document_type].verified) == (
            len(columns),
            len(verified),
        )
    assert (found["FAMR"].statute, found["FAMR"].form) == (
        12,
        0,
    )  # 가족관계등록법 제15조, 규칙 제21조, 법원사무관리규칙
    assert found["CORR"].form == 11  # what an issued certificate shows


def test_the_definitions_add_up_over_all_documents() -> None:
    found = coverage()
    assert found.definitions.document_types == len(sources())
    assert found.definitions.wholly == sum(p.statute + p.form == p.fields for p in found.provenance)
    assert found.definitions.fields == sum(p.fields for p in found.provenance)
    assert found.definitions.verified == sum(p.statute + p.form for p in found.provenance)
    assert found.definitions.wholly >= 12


@pytest.mark.parametrize("dot", ["ㆍ", "·", "・", "‧", "∙", "･", " ", ""])
def test_a_law_is_found_whatever_its_middle_dot(dot: str) -> None:
    found = find(law=f"5{dot}18 민주유공자")
    assert found
    assert {a.law for a in found} == {"5ㆍ18민주유공자예우및단체설립에관한법률"}


def test_articles_are_found_by_document_and_law_together() -> None:
    (found,) = find("FAMR", "국민연금법 시행규칙 제22조")
    assert set(found.documents) == {"FAMR", "MARR", "MLSV"}
    assert found.citation == "국민연금법 시행규칙 제22조"
    assert find("INSV") == ()


def test_a_type_that_statutes_name_in_two_ways_is_found_by_either_and_by_both() -> None:
    land, building = find("REGR_LAND"), find("REGR_BLDG")
    assert (len(land), len(building)) == (202, 192)
    assert set(find("REGR")) == {*land, *building}


def test_an_unknown_document_is_refused() -> None:
    with pytest.raises(UsageError, match="no document type XXXX"):
        find("XXXX")


@pytest.mark.parametrize(
    ("service_id", "documents"),
    [("DISABILITY_PENSION", {"FAMR", "REGR_LAND", "REGR_BLDG"}), ("NHIS_WORKPLACE", {"CORR", "BIZR"})],
)
def test_a_service_is_linked_to_the_article_of_its_law(service_id: str, documents: set[str]) -> None:
    (article,) = articles_of(service(service_id))
    assert set(article.documents) == documents
    assert loose(service(service_id).law).startswith(loose(article.citation))


def test_a_law_that_cites_two_articles_is_linked_to_both() -> None:
    assert [a.citation for a in articles_of(service("LICENCE_RENEW"))] == [
        "도로교통법 시행규칙 제81조",
        "도로교통법 시행규칙 제82조",
    ]


@pytest.mark.parametrize(
    ("service_id", "shared"),
    [
        ("DISABILITY_PENSION", {"FAMR", "REGR"}),  # REGR_LAND and REGR_BLDG are one type
        ("LICENCE_RENEW", {"ARCF", "DRVL"}),  # of two articles; DOMICILE is no type of the catalogue
        ("SINGLE_PARENT", set()),  # the article names no document that is known
        ("HOUSING_SUBSCRIPTION", None),  # cites no article
    ],
)
def test_what_is_shared_already_is_what_the_articles_of_the_service_name(
    service_id: str, shared: set[str] | None
) -> None:
    assert shared_already(service(service_id)) == shared


@pytest.mark.parametrize(
    ("law", "parts"),
    [
        ("장애인연금법 시행령 제7조", ("장애인연금법 시행령", "제7조")),
        ("식품위생법 시행규칙 제40·42조", ("식품위생법 시행규칙", "제40·42조")),
        ("전자정부법 제43조의2 제1항 제2호", ("전자정부법", "제43조의2 제1항 제2호")),
        ("자동차등록규칙 제27조", ("자동차등록규칙", "제27조")),
        ("여권법", ("여권법", None)),
    ],
)
def test_a_law_is_told_from_its_article(law: str, parts: tuple[str, str | None]) -> None:
    assert law_and_article(law) == parts


HEADER = "law\tkind\tarticle\tdocuments\trefusal_clause\n"


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("law\tkind\n", "must start with the columns"),
        (HEADER + "법\t시행령\t제1조\tRRT\tmaybe\n", "line 2: law, kind, article or Y/N is missing"),
        (HEADER + "법\t시행령\t\tRRT\tY\n", "line 2: law, kind, article or Y/N is missing"),
        (HEADER + "법\t시행령\t제1조\tRRT,NEW\tY\n", "line 2: NEW is not in documents.yaml"),
        (HEADER + "법\t시행령\t제1조\tRRT\tY\n" * 2, "names an article twice"),
    ],
)
def test_a_broken_registry_is_refused_by_line(tmp_path: Path, text: str, finding: str) -> None:
    file = tmp_path / "statutes.tsv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(MalformedContract, match=finding):
        articles(file)
