"""Tables for tests: bronze rows from a contract's own good examples, and small tables written as text."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from pipeline.standardise import CONTEXT_SCHEMAS
from schemas.contract import Contract, source

SEEN = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)


def bronze_row(contract: Contract, evidence_id: str, subject_key: int, variant: str | None = None) -> dict[str, Any]:
    """A live row; every column holds its good example, every group one line."""
    pipeline = {
        "_subject_key": subject_key,
        "_key_bucket": 0,
        "_evidence_id": evidence_id,
        "_authorisation_id": f"auth-{evidence_id}",
        "_variant": variant or contract.variants[-1],
        "_source_record_id": f"record-{evidence_id}",
        "_source_record_hash": evidence_id.encode(),
        "_observed_at": SEEN,
        "_valid_to": None,
        "_pulled_at": SEEN,
        "_run_id": "run-1",
        "_is_deleted": False,
    }
    groups = {
        g.name: [
            {
                "_line_no": 1,
                "_person_key": -subject_key if g.person else None,
                **{c.name: c.good_example for c in g.content},
            }
        ]
        for g in contract.groups
    }
    return pipeline | {c.name: c.good_example for c in contract.content} | groups


def bronze(document_type: str, *rows: dict[str, Any]) -> dict[str, pa.Table]:
    contract = source(document_type)
    return {contract.slug: pa.Table.from_pylist(list(rows), schema=contract.bronze_schema)}


def written(text: str) -> list[dict[str, str | None]]:
    """A table written as text: a header line, then lines with the same columns; `.` is no value."""
    header, *lines = [line.split() for line in text.strip().splitlines()]
    return [dict(zip(header, (None if v == "." else v for v in line), strict=True)) for line in lines]


def context(**tables: str) -> dict[str, pa.Table]:
    """Context tables written as text; those that are not named are empty. A column that is not written is empty."""
    found = {name: schema.empty_table() for name, schema in CONTEXT_SCHEMAS.items()}
    for name, text in tables.items():
        schema, rows = CONTEXT_SCHEMAS[name], written(text)
        columns = [pa.array([_value(r.get(f.name), f.type) for r in rows], f.type) for f in schema]
        found[name] = pa.table(columns, schema=schema)
    return found


def _value(text: str | None, kind: pa.DataType) -> Any:
    if text is None:
        return None
    if pa.types.is_boolean(kind):
        return text == "yes"
    if pa.types.is_integer(kind):
        return int(text)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        instant = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return instant.date() if pa.types.is_date(kind) else instant
    return text


def shows(table: pa.Table, text: str) -> bool:
    """Whether the table, in the columns that the text names, is what the text says. Fails showing both."""
    expected = written(text)
    rows = table.select(list(expected[0])).to_pylist()
    assert [{k: None if v is None else str(v) for k, v in row.items()} for row in rows] == expected
    return True
