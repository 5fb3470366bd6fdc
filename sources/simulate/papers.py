"""What a citizen's papers say: the truth of the world as certificates print it, for comparing papers with data.

    papers(home, "FAMR", "general")  ->  {identifier: {"SELF_FLNM": "...", "relatives": [{"FAM_NM": "..."}]}}

Fields have official names and stand as printed: codes by their Korean names, days with hyphens, amounts with commas.
Numbers of persons are left out, as no consent names them. Nothing here comes from a connector or from dbt.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa

from schemas.codes import entries
from schemas.column import Column
from schemas.contract import Contract, gold, source
from sources.simulate.truth import truth

Paper = dict[str, Any]


def papers(home: Path, document_type: str, variant: str) -> dict[str, Paper]:
    """The newest paper of each subject, by the subject's identifier. Raises as `truth` does."""
    given = source(document_type)
    parent, tables = gold(given.published), truth(home, document_type)
    found: dict[str, Paper] = {}
    for row in _of(tables[parent.name], variant):
        found[row["identifier"]] = _printed(parent, row) | {g.name: [] for g in given.groups}
    for group in given.groups:
        contract = gold(f"{given.published}__{group.name}")
        for row in sorted(_of(tables[contract.name], variant), key=lambda r: r["_line_no"]):
            found[row["identifier"]][group.name].append(_printed(contract, row))
    return found


def _of(table: pa.Table, variant: str) -> list[dict[str, Any]]:
    rows = [r for r in table.to_pylist() if r["_variant"] == variant]
    return sorted(rows, key=lambda r: r["_observed_at"])


def _printed(contract: Contract, row: dict[str, Any]) -> Paper:
    return {c.name: _text(c, row[c.name]) for c in contract.columns}


def _text(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if column.code_list:
        return next((e.name_ko for e in entries(column.code_list) if e.code == value), str(value))
    if (column.domain or "").startswith("연월일") and len(str(value)) == 8:
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    return f"{value:,}" if isinstance(value, int) else str(value)
