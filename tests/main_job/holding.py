"""What a lake holds, as rows, and which columns of a row say something."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from lake import tables
from schemas.contract import Contract
from tests.main_job.conftest import Country


def held(korea: Country, name: str, schema: pa.Schema) -> list[dict[str, Any]]:
    return list(tables.read(korea.settings.lake_root, name, schema=schema).to_pylist())


def rows_of(korea: Country, name: str, schema: pa.Schema) -> int:
    return len(held(korea, name, schema))


def values_of(row: dict[str, Any], contract: Contract) -> Iterator[str]:
    """The official paths of a row's values that are not NULL."""
    if contract.kind == "source":
        for column in contract.content:
            if row[column.name] is not None:
                yield str(column.publishes)
        for group in contract.groups:
            for line in row[group.name] or ():
                yield from (f"{group.name}.{c.publishes}" for c in group.content if line[c.name] is not None)
    else:
        prefix = f"{contract.group}." if contract.group else ""
        yield from (prefix + c.name for c in contract.columns if row.get(c.name) is not None)
