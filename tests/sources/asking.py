"""Request sets as short tables, and deliveries as plain rows, for the tests of the sources."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from hanbeon.settings import SourceSettings
from schemas.contract import Contract
from schemas.request import REQUEST_SCHEMA, RequestSet
from sources.connect import DeliveryReport, connect
from sources.endpoints import Endpoints

# Nobody has these numbers: the month of birth is 20 too high.
HANA = "9021011000001"
DUL = "8525152000002"
SES = "7032301000003"
STRANGER = "6631011000009"
KEYS = {HANA: -11, DUL: 22, SES: 33, STRANGER: 99}

SETTINGS = SourceSettings(timeout_seconds=5.0, retries=2, dataset_seconds=60.0)

Subject = tuple[str, Iterable[str]]


def ask(
    contract: Contract,
    *subjects: Subject,
    variant: str | None = None,
    watermark: str | None = None,
    is_new: bool = False,
) -> RequestSet:
    """A request for subjects, each with its own official column paths."""
    rows = [
        {
            "identifier": identifier,
            "_subject_key": KEYS.get(identifier, 1_000 + i),
            "variant": variant or contract.variants[0],
            "column_set": i,
            "is_new": is_new,
        }
        for i, (identifier, _) in enumerate(subjects)
    ]
    sets = tuple(frozenset(paths) for _, paths in subjects)
    return RequestSet(contract.dataset, pa.Table.from_pylist(rows, schema=REQUEST_SCHEMA), sets, watermark)


def everything(contract: Contract, *identifiers: str, **more: Any) -> RequestSet:
    return ask(contract, *((i, contract.column_paths) for i in identifiers), **more)


def pull(
    contract: Contract, request: RequestSet, endpoints: Endpoints, settings: SourceSettings = SETTINGS
) -> tuple[list[dict[str, Any]], DeliveryReport]:
    """All rows of a delivery in order of subject and record, and its report."""
    delivery = connect(contract, request, endpoints, settings)
    rows = []
    for batch in delivery.batches():
        assert batch.schema.equals(contract.delivered_schema)
        rows += batch.to_pylist()
    return sorted(rows, key=lambda r: (r["_subject_key"], r["_variant"], r["_record_id"])), delivery.report
