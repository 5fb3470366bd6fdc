"""The statute registry: `statutes.tsv` in, the articles of law that ask for documents out.

Each line is one article that says "행정정보의 공동이용을 통하여 … 확인": law, kind of statute, article
with its heading, the documents that it names, and whether the citizen may refuse and attach them. The lines were found
by pattern in the statutes' text as of 2026-06, the first such clause of each article; about one in ten may be wrong. An
article without documents names only what no pattern knows.

Try it: `python -c "from schemas import statutes; print(len(statutes.find('CORR')))"`
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa

from schemas.contract import gold
from schemas.documents import as_data, document_type, named_in_statutes
from schemas.errors import MalformedContract
from schemas.services import Service, services

PUBLISHED = "statute_articles"
FILE = Path(__file__).parent / "statutes.tsv"
HEADER = ["law", "kind", "article", "documents", "refusal_clause"]
# Statutes, editors and keyboards write the middle dot in many ways; blanks are as loose.
_LOOSE = re.compile(r"[\s\u00b7\u2022\u2024\u2027\u2219\u22c5\u30fb\u318d\u119e\uff65.]")
_NUMBER = re.compile(r"제\d+조(?:의\d+)?")
# "제40·42조" cites two articles of one law.
_CITED = re.compile(r"(?P<law>.*?)\s*제(?P<numbers>\d+(?:[·ㆍ,]\s*\d+)*)조(?P<branch>(?:의\d+)?)")


@dataclass(frozen=True)
class Article:
    """One article. `documents` are ids as statutes name them (`schemas.documents.named_in_statutes`)."""

    law: str
    kind: str
    article: str
    documents: tuple[str, ...]
    has_refusal_clause: bool

    @property
    def document_types(self) -> frozenset[str | None]:
        """The types of the catalogue that it asks for; None stands for a document that no type covers."""
        return frozenset(named_in_statutes()[d].document_type for d in self.documents)

    @property
    def citation(self) -> str:
        """Law, kind where it belongs to the name (시행령, 시행규칙), and number, as people cite it."""
        number = _NUMBER.match(self.article)
        kind = f" {self.kind}" if self.kind.startswith("시행") else ""
        return f"{self.law}{kind} {number[0] if number else self.article}"


@cache
def articles(file: Path = FILE) -> tuple[Article, ...]:
    """The registry in its order. Raises MalformedContract naming the line that cannot be used."""
    found = []
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if next(rows, []) != HEADER:
            raise MalformedContract(f"{file.name} must start with the columns {', '.join(HEADER)}.")
        for number, row in enumerate(rows, 2):
            if len(row) != len(HEADER) or not all(row[:3]) or row[4] not in ("Y", "N"):
                raise MalformedContract(f"{file.name}, line {number}: law, kind, article or Y/N is missing.")
            documents = tuple(d for d in row[3].split(",") if d)
            if strange := [d for d in documents if d not in named_in_statutes()]:
                raise MalformedContract(f"{file.name}, line {number}: {', '.join(strange)} is not in documents.yaml.")
            found.append(Article(row[0], row[1], row[2], documents, row[4] == "Y"))
    if len({(a.law, a.kind, a.article) for a in found}) < len(found):
        raise MalformedContract(f"{file.name} names an article twice. Keep one line for each.")
    return tuple(found)


@cache
def published_rows() -> pa.Table:
    """The rows of `gold/statute_articles`: one for each article and document, without document where it names none."""
    rows = [row_of(article, document) for article in articles() for document in (article.documents or (None,))]
    return pa.Table.from_pylist(rows, schema=gold(PUBLISHED).gold_schema)


def row_of(article: Article, document: str | None) -> dict[str, str | None]:
    """An article and one document that it names, under official names."""
    type_of = None if document is None else named_in_statutes()[document].document_type
    return {
        "STT_NM": article.law,
        "STT_KND_NM": article.kind,
        "LPRVS_NM": article.article,
        "STT_RQDOC_NO": document,
        "RQDOC_CD": type_of,
        "DATA_PVSN_YN": "Y" if type_of in as_data() else "N",
        "AGRE_RFSL_PSBLTY_YN": "Y" if article.has_refusal_clause else "N",
        "SRVC_LIST_CN": ",".join(s.id for s in services_of(article)) or None,
    }


def find(document: str | None = None, law: str | None = None) -> tuple[Article, ...]:
    """Articles that ask for a document and whose law, kind or heading holds a text, in any middle dot and spacing.

    A document is a type of the catalogue or a name that statutes use. Raises UsageError for an unknown one.
    """
    wanted = _wanted(document)
    text = loose(law or "")
    return tuple(
        a
        for a in articles()
        if (wanted is None or not wanted.isdisjoint(a.documents)) and text in loose(f"{a.law}{a.kind}{a.article}")
    )


def loose(text: str) -> str:
    """Text without blanks, full stops and middle dots of any form, for comparing names of laws."""
    return _LOOSE.sub("", text).casefold()


def services_of(article: Article) -> tuple[Service, ...]:
    """The services whose law is this article."""
    return _services_by_citation().get(loose(article.citation), ())


@cache
def articles_of(service: Service) -> tuple[Article, ...]:
    """The registry's lines of a service's law, where it has any."""
    return tuple(a for a in articles() if service in services_of(a))


def shared_already(service: Service) -> frozenset[str] | None:
    """The document types that agencies look up for the service already, by the clause of the articles that it rests on.

    None where the registry has none of these articles: then nobody here knows what is shared.
    """
    own = articles_of(service)
    return frozenset(d for a in own for d in a.document_types if d is not None) if own else None


def law_and_article(law: str) -> tuple[str, str | None]:
    """The name of a law and what it cites of it: `장애인연금법 시행령`, `제7조`; None where it cites the whole law."""
    cited = _CITED.match(law)
    return (law, None) if cited is None else (cited["law"], law[len(cited["law"]) :].strip())


@cache
def _services_by_citation() -> dict[str, tuple[Service, ...]]:
    found: dict[str, tuple[Service, ...]] = {}
    for service in services():
        for citation in _citations(service.law):
            found[loose(citation)] = (*found.get(loose(citation), ()), service)
    return found


def _citations(law: str) -> Iterable[str]:
    if cited := _CITED.match(law):
        for number in re.findall(r"\d+", cited["numbers"]):
            yield f"{cited['law']} 제{number}조{cited['branch']}"


def _wanted(document: str | None) -> frozenset[str] | None:
    if document is None:
        return None
    named = named_in_statutes()
    if document in named and named[document].document_type != document:
        return frozenset({document})
    return frozenset(_names_of(document_type(document).id))


def _names_of(type_id: str) -> Iterable[str]:
    return (n.id for n in named_in_statutes().values() if n.document_type == type_id)
