"""What no law lets flow, whatever is consented, and the articles that say so (P1).

In: document types. Out: a refusal that names reason and article. The list stands here in code, so that a catalogue that
cannot be read opens nothing; a test holds it to the catalogue of `schemas/documents.yaml`, which has the articles.
"""

from collections.abc import Iterable

from consent.model import Reason
from hanbeon.errors import GateRefused
from schemas.documents import document_type as catalogued

NEVER_SHAREABLE = ("INSV",)  # court trial data: no law lets it flow, whatever is consented


def need_shareable(document_types: Iterable[str]) -> None:
    """Raise GateRefused, with reason and articles, for the first document that no law lets flow."""
    for document_type in document_types:
        if document_type in NEVER_SHAREABLE:
            raise GateRefused(f"{never(document_type)} Bring it on paper.", Reason.NEVER_SHAREABLE)


def never(document_type: str) -> str:
    """Why this document flows under no authorisation, as one sentence."""
    excluded = catalogued(document_type).excluded
    said = "the catalogue names no article" if excluded is None else f"{excluded.english} ({_cited(excluded.articles)})"
    return f"{document_type} may not flow under any authorisation ({Reason.NEVER_SHAREABLE}): {said}."


def _cited(articles: Iterable[str]) -> str:
    return ", ".join(articles)
