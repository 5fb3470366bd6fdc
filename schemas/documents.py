"""The catalogue of document types: `documents.yaml` in, frozen `DocumentType`s out.

It says what a document is, who holds it and whether any law lets it flow; a contract says what comes of it as data. So
`as_data()` is told by the source contracts and stands nowhere else.

Try it: `python -c "from schemas import documents; print(documents.document_type('INSV').excluded)"`
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from hanbeon.errors import UsageError
from schemas.contract import sources
from schemas.errors import MalformedContract

FILE = Path(__file__).parent / "documents.yaml"
VERIFIABLE = frozenset({"fields", "validity", "holder_code", "excluded"})

FlowsBy = Literal["consent", "public_register", "never"]


@dataclass(frozen=True)
class Exclusion:
    """Why no law lets a document flow, whatever is consented, and the articles that say so."""

    korean: str
    english: str
    articles: tuple[str, ...]


@dataclass(frozen=True)
class DocumentType:
    """One attached document. `verified` names what was read in a statute's text or an official standard.

    `validity_days` is a statutory term in days, None where no statute sets one. `excluded` is set where the document is
    not shareable.
    """

    id: str
    korean: str
    english: str
    holder: str
    holder_code: str
    branch: Literal["executive", "public-body", "court"]
    subject_kinds: tuple[str, ...]
    cadence: str
    validity: str
    validity_days: int | None
    delivery: str
    legal_basis: tuple[str, ...]
    flows_by: FlowsBy
    sensitivity: tuple[str, ...]
    variants: tuple[str, ...]
    verified: frozenset[str]
    note: str
    excluded: Exclusion | None

    @property
    def is_shareable(self) -> bool:
        return self.excluded is None


@dataclass(frozen=True)
class Named:
    """A document as statutes call it. `document_type` is None where no type of the catalogue covers it."""

    id: str
    korean: str
    english: str
    document_type: str | None


@dataclass(frozen=True)
class Issuance:
    """Copies issued in one year of one document, or of several together where the figure is not told apart."""

    documents: tuple[str, ...]
    copies: int
    year: int
    status: Literal["V", "S"]  # verified, or secondary: reported by somebody else
    source: str
    url: str


@cache
def document_types(file: Path = FILE) -> Mapping[str, DocumentType]:
    """Every document type by its id. Raises MalformedContract naming what is wrong."""
    found = [_document(given, file) for given in _content(file)["documents"]]
    if len({d.id for d in found}) < len(found):
        raise MalformedContract(f"{file.name} names a document type twice. Keep one entry for each.")
    return {d.id: d for d in found}


def document_type(document_id: str) -> DocumentType:
    """Raises UsageError when the catalogue has no such type."""
    known = document_types()
    if document_id not in known:
        raise UsageError(f"There is no document type {document_id}. Known: {', '.join(known)}.")
    return known[document_id]


@cache
def named_in_statutes(file: Path = FILE) -> Mapping[str, Named]:
    """Every id that the statute registry may use: the types, their other names, and documents outside the catalogue."""
    content = _content(file)
    try:
        types = [Named(d.id, d.korean, d.english, d.id) for d in document_types(file).values()]
        others = [
            Named(key, value["ko"], value["en"], value.get("document"))
            for key, value in (*content["names_in_statutes"].items(), *content["outside"].items())
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise _malformed(file, error) from error
    return {n.id: n for n in (*types, *others)}


@cache
def issuance(file: Path = FILE) -> tuple[Issuance, ...]:
    """Yearly issuance, where a figure was found. Raises MalformedContract for one that cannot be used."""
    try:
        found = [Issuance(**{**given, "documents": tuple(given["documents"])}) for given in _content(file)["issuance"]]
    except (KeyError, TypeError) as error:
        raise _malformed(file, error) from error
    counted = [d for f in found for d in f.documents]
    if len(set(counted)) < len(counted) or not set(counted) <= named_in_statutes(file).keys():
        raise MalformedContract(f"{file.name}: issuance names a document twice, or one that statutes do not name.")
    if any(f.copies <= 0 or f.status not in ("V", "S") or not f.source for f in found):
        raise MalformedContract(f"{file.name}: a figure of issuance lacks its copies, source or status (V or S).")
    return tuple(found)


@cache
def as_data() -> frozenset[str]:
    """The document types that the project pulls as data today: those with a source contract."""
    return frozenset(c.document_type for c in sources())


def never_shareable() -> tuple[str, ...]:
    return tuple(d.id for d in document_types().values() if not d.is_shareable)


def _content(file: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise _malformed(file, error) from error
    if not isinstance(content, dict) or not content.get("documents"):
        raise MalformedContract(f"{file.name} lists no documents.")
    return content


def _document(given: Mapping[str, Any], file: Path) -> DocumentType:
    try:
        found = DocumentType(
            id=given["id"],
            korean=given["ko"],
            english=given["en"],
            holder=given["holder"],
            holder_code=given["holder_code"],
            branch=given["branch"],
            subject_kinds=tuple(given["subject_kinds"]),
            cadence=given["cadence"],
            validity=given["validity"],
            validity_days=given.get("validity_days"),
            delivery=given["delivery"],
            legal_basis=tuple(given["legal_basis"]),
            flows_by=given["flows_by"],
            sensitivity=tuple(given["sensitivity"]),
            variants=tuple(given["variants"]),
            verified=frozenset(given["verified"]),
            note=given.get("note", ""),
            excluded=None if given["shareable"] is True else _exclusion(given["excluded"]),
        )
    except (KeyError, TypeError) as error:
        raise _malformed(file, error) from error
    if found.verified - VERIFIABLE or (found.flows_by == "never") is found.is_shareable:
        raise MalformedContract(f"{file.name}, {found.id}: `verified` or `flows_by` says what cannot be.")
    return found


def _exclusion(given: Mapping[str, Any]) -> Exclusion:
    return Exclusion(given["ko"], given["en"], tuple(given["articles"]))


def _malformed(file: Path, error: Exception) -> MalformedContract:
    return MalformedContract(f"{file.name} is not a usable catalogue: {error}. Compare an entry with its neighbours.")
