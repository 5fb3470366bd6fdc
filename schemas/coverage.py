"""How much of the law the project serves: the statute registry, the services and the contracts in, counts out.

An article is served *fully* when every document that it names comes as data, *partly* when some do, *not at all* when
none does. An article that names no document known to the registry counts apart, neither served nor unserved. Articles
are counted, not applications.

`weighted` counts copies instead, for the documents whose yearly issuance is known (documents.yaml): the copies of a
document are taken to go to the articles that ask for it in equal parts, an assumption, since no source says for what a
copy was issued; those are served that go to articles served fully.

Try it: `python -c "from schemas.coverage import coverage; print(coverage().articles)"`
"""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.contract import sources
from schemas.documents import Issuance, as_data, document_types, issuance, named_in_statutes
from schemas.provenance import Provenance, provenance
from schemas.services import Service, services
from schemas.statutes import Article, articles


@dataclass(frozen=True)
class Counts:
    """Articles or services by how much of what they ask for comes as data."""

    fully: int
    partly: int
    not_at_all: int
    unnamed: int = 0

    @property
    def total(self) -> int:
        return self.fully + self.partly + self.not_at_all + self.unnamed


@dataclass(frozen=True)
class OfDocument:
    """One document as statutes name it. `fully` counts the articles that need it and get everything as data.

    `unlocks` counts the articles that would be served fully if this one came as data as well.
    """

    id: str
    korean: str
    document_type: str | None
    is_data: bool
    articles: int
    fully: int
    unlocks: int


@dataclass(frozen=True)
class Definitions:
    """Fields of every document type that comes as data: how many a statute or form defines, and the types wholly so."""

    document_types: int
    wholly: int
    fields: int
    verified: int


@dataclass(frozen=True)
class Weighted:
    """Copies a year, over the documents whose issuance is known; of the others, how many statutes name."""

    copies: int
    served: float
    known: tuple[str, ...]
    unknown: int

    @property
    def share(self) -> float:
        return self.served / self.copies if self.copies else 0.0


@dataclass(frozen=True)
class Coverage:
    articles: Counts
    services: Counts
    weighted: Weighted
    documents: tuple[OfDocument, ...]
    provenance: tuple[Provenance, ...]
    definitions: Definitions


def coverage() -> Coverage:
    """Every number, as the contracts, services and registry of the project say now."""
    data = as_data()
    found = tuple(provenance(c) for c in sorted(sources(), key=lambda c: c.document_type))
    return Coverage(
        articles=_counts((a.document_types for a in articles()), data),
        services=_counts((_taken(s) for s in services()), data),
        weighted=_weighted(data, issuance(), articles()),
        documents=tuple(sorted(_documents(data), key=lambda d: (-d.articles, d.id))),
        provenance=found,
        definitions=Definitions(
            document_types=len(found),
            wholly=sum(p.is_whole for p in found),
            fields=sum(p.fields for p in found),
            verified=sum(p.verified for p in found),
        ),
    )


def _weighted(data: frozenset[str], figures: Iterable[Issuance], of: Iterable[Article]) -> Weighted:
    """A figure's copies, divided equally over the pairs of article and document that they may have been issued for."""
    asking = list(of)
    named = {d for a in asking for d in a.documents}
    copies, served, known = 0, 0.0, []
    for figure in figures:
        pairs = [a for a in asking for d in a.documents if d in figure.documents]
        if pairs:
            copies += figure.copies
            served += figure.copies * sum(a.document_types <= data for a in pairs) / len(pairs)
            known += [d for d in figure.documents if d in named]
    return Weighted(copies, served, tuple(known), len(named) - len(known))


def _taken(service: Service) -> frozenset[str | None]:
    """What a service takes as data, and None where it takes something on paper: its ground may not open a document."""
    return frozenset(r.document_type if r.is_available else None for r in service.requirements)


def _counts(asked: Iterable[frozenset[str | None]], data: frozenset[str]) -> Counts:
    fully = partly = not_at_all = unnamed = 0
    for documents in asked:
        if not documents:
            unnamed += 1
        elif documents <= data:
            fully += 1
        elif documents & data:
            partly += 1
        else:
            not_at_all += 1
    return Counts(fully, partly, not_at_all, unnamed)


def _documents(data: frozenset[str]) -> Iterable[OfDocument]:
    asking: dict[str, list[Article]] = {}
    for article in articles():
        for name in article.documents:
            asking.setdefault(name, []).append(article)
    for named in named_in_statutes().values():
        if named.id in document_types() and named.id not in asking and _has_other_names(named.id):
            continue  # the registry knows it by its other names only
        needing = asking.get(named.id, [])
        missing = [a.document_types - data for a in needing]
        yield OfDocument(
            id=named.id,
            korean=named.korean,
            document_type=named.document_type,
            is_data=named.document_type in data,
            articles=len(needing),
            fully=sum(not m for m in missing),
            unlocks=sum(m == {named.document_type} for m in missing) if named.document_type else 0,
        )


def _has_other_names(document_type: str) -> bool:
    return any(n.document_type == document_type and n.id != document_type for n in named_in_statutes().values())
