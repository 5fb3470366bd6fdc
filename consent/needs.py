"""What exists and what services need, as the relations that the gate joins with.

In: contracts and services. Out: `contracts` (who holds which document, with which columns) and `requirements` (which
service of which recipient needs which columns of it, in which variants).
"""

from collections.abc import Sequence
from functools import cache

import pyarrow as pa

from hanbeon.errors import ContractError
from schemas.contract import sources
from schemas.services import STATUTE, services

CONTRACTS_SCHEMA = pa.schema(
    [
        pa.field("document_type", pa.string()),
        pa.field("holder", pa.string()),
        pa.field("identifier_kind", pa.string()),  # by which a holder finds the record
        pa.field("column_paths", pa.list_(pa.string())),
    ]
)
REQUIREMENTS_SCHEMA = pa.schema(
    [
        pa.field("service", pa.string()),
        pa.field("recipient", pa.string()),
        pa.field("purpose", pa.string()),
        pa.field("document_type", pa.string()),
        pa.field("variant", pa.string()),  # each variant that is no wider than the service needs
        pa.field("columns", pa.list_(pa.string())),
        pa.field("is_by_statute", pa.bool_()),  # whether a statute opens it, without anybody's consent
    ]
)


@cache
def contracts() -> pa.Table:
    """What exists: document types, who holds them, which columns they have. One row a document type."""
    rows = [
        {
            "document_type": c.document_type,
            "holder": c.holder,
            "identifier_kind": c.subject_identifier_kind,
            "column_paths": list(c.column_paths),
        }
        for c in sources()
    ]
    if len({row["document_type"] for row in rows}) < len(rows):
        raise ContractError("Two source contracts have one document type. A document type has one holder.")
    return pa.Table.from_pylist(rows, schema=CONTRACTS_SCHEMA)


@cache
def requirements() -> pa.Table:
    """What services need: each document's columns, in each variant no wider than the one named (narrowest first)."""
    variants = {c.document_type: c.variants for c in sources()}
    rows = [
        {
            "service": s.id,
            "recipient": s.recipient,
            "purpose": s.purpose,
            "document_type": r.document_type,
            "variant": v,
            "columns": list(r.columns),
            "is_by_statute": r.authorisation == STATUTE,
        }
        for s in services()
        for r in s.requirements
        for v in _no_wider(variants.get(r.document_type, ()), r.variant)
    ]
    return pa.Table.from_pylist(rows, schema=REQUIREMENTS_SCHEMA)


def _no_wider(variants: Sequence[str], needed: str | None) -> Sequence[str | None]:
    """A document without a variant that we know is needed in none of them."""
    return variants[: variants.index(needed) + 1] if needed in variants else (None,)
