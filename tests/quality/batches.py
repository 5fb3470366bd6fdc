"""Batches made of the contracts' own good examples, to be spoiled one value at a time."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from schemas.column import Column
from schemas.contract import Contract, sources

Row = dict[str, Any]
OBSERVED_AT = datetime(2026, 6, 1, 3, tzinfo=UTC)


def good_row(contract: Contract, number: int) -> Row:
    """One bronze (or gold) row in which every column holds its good example; one line in each group."""
    row: Row = {
        "_subject_key": number - 7,
        "_key_bucket": 0,
        "_evidence_id": f"evidence-{number}",
        "_authorisation_id": "authorisation-1",
        "_variant": _variant(contract),
        "_source_record_id": f"record-{number}",
        "_source_record_hash": b"hash",
        "_observed_at": OBSERVED_AT,
        "_valid_to": None,
        "_pulled_at": OBSERVED_AT,
        "_run_id": "run-1",
        "_line_no": 1,
        "_person_key": None,
        "_is_deleted": False,
    }
    row |= {c.name: _good(c) for c in contract.content}
    row |= {
        g.name: [{"_line_no": 1, "_person_key": 5} | {c.name: _good(c) for c in g.content}] for g in contract.groups
    }
    if contract.properties.get("documentType") == "RRT" and contract.groups:
        row["members"][0]["rel_nm"] = "본인"
    return row


def batch(contract: Contract, rows: int, spoil: Callable[[list[Row]], None] = lambda rows: None) -> pa.Table:
    """A batch of good rows after `spoil` had its way with them."""
    made = [good_row(contract, number) for number in range(rows)]
    spoil(made)
    schema = contract.bronze_schema if contract.kind == "source" else contract.gold_schema
    return pa.Table.from_pylist([{k: v for k, v in r.items() if k in schema.names} for r in made], schema=schema)


def setting(path: str, value: Any, row: int = 0) -> Callable[[list[Row]], None]:
    """Set one value: `head_nm` of a row, or `members.mbr_nm` of its first line."""

    def spoil(rows: list[Row]) -> None:
        group, _, name = path.rpartition(".")
        target = rows[row][group][0] if group else rows[row]
        assert name in target, name
        target[name] = value

    return spoil


def _good(column: Column) -> Any:
    return column.good_example


def _variant(contract: Contract) -> str:
    """The widest, which shows every line; of relatives the one that services ask for."""
    document_type = str(contract.properties.get("documentType"))
    if contract.kind == "published" and document_type == "FAMR":
        return "general"
    known = [c.variants for c in sources() if c.document_type == document_type]
    return known[0][-1] if known else "standard"
