"""Turn what a connector delivered into bronze rows: identifiers become keys, natural ids become keyed hashes.

In: `delivered_schema` batches, which hold identifiers in clear and live in memory only. Out: `bronze_schema` rows,
the first form that may touch disk (P10). The vault assigns a key to a person named in a document at first sight.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from schemas.column import Group
from schemas.contract import Contract
from schemas.decimals import plain

Keys = Callable[[str, pa.Array], pa.Array]  # (identifier kind, identifiers) -> subject keys
Hashes = Callable[[str, Sequence[str | bytes]], list[bytes]]  # (purpose, values) -> keyed hashes


def key_batch(
    contract: Contract,
    batch: pa.Table,
    *,
    run_id: str,
    pulled_at: datetime,
    key_buckets: Callable[[pa.Array], pa.Array],
    keys: Keys,
    hashes: Hashes,
) -> pa.Table:
    """Bronze rows of a delivered batch. `_authorisation_id` is left NULL: the commit names the witness."""
    rows = batch.num_rows
    subject_keys = _flat(batch, "_subject_key")
    record_ids = [h.hex()[:32] for h in hashes(f"source-record:{contract.dataset}", _texts(batch, "_record_id"))]
    columns: dict[str, pa.Array] = {
        "_subject_key": subject_keys,
        "_key_bucket": key_buckets(subject_keys),
        "_authorisation_id": pa.nulls(rows, pa.string()),
        "_variant": _flat(batch, "_variant"),
        "_source_record_id": pa.array(record_ids, pa.string()),
        "_observed_at": _flat(batch, "_observed_at"),
        "_valid_to": pa.nulls(rows, pa.timestamp("us", tz="UTC")),
        "_pulled_at": pa.array([pulled_at] * rows, pa.timestamp("us", tz="UTC")),
        "_run_id": pa.array([run_id] * rows, pa.string()),
        "_is_deleted": _flat(batch, "_is_deleted"),
    }
    for column in contract.content:
        columns[column.name] = _flat(batch, column.name)
    for group in contract.groups:
        columns[group.name] = _key_group(group, _flat(batch, group.name), keys)
    named = ["_is_deleted", *(c.name for c in contract.content), *(g.name for g in contract.groups)]
    content = pa.table({n: columns[n] for n in named})
    canonical = [json.dumps(r, ensure_ascii=False, sort_keys=True, default=plain) for r in content.to_pylist()]
    columns["_source_record_hash"] = pa.array(hashes(f"source-content:{contract.dataset}", canonical), pa.binary())
    columns["_evidence_id"] = evidence_ids(contract, pa.table(columns), hashes)
    return pa.table([columns[f.name] for f in contract.bronze_schema], schema=contract.bronze_schema)


def evidence_ids(contract: Contract, rows: pa.Table, hashes: Hashes) -> pa.Array:
    """One id for each state of a record: the same for the same subject, variant, record and holder's instant."""
    instants = pc.cast(rows.column("_observed_at"), pa.int64()).to_pylist()
    keys = (rows.column(name).to_pylist() for name in ("_subject_key", "_variant", "_source_record_id"))
    states = [f"{contract.dataset}|{'|'.join(map(str, state))}" for state in zip(*keys, instants, strict=True)]
    return pa.array([h.hex()[:32] for h in hashes("evidence", states)], pa.string())


def _flat(batch: pa.Table, name: str) -> pa.Array:
    column = batch.column(name)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _texts(batch: pa.Table, name: str) -> list[str]:
    return [v or "" for v in _flat(batch, name).to_pylist()]


def _key_group(group: Group, lists: pa.Array, keys: Keys) -> pa.Array:
    """Replace the line's identifier by `_person_key`; everything else stays as it is."""
    if isinstance(lists, pa.ChunkedArray):
        lists = pa.concat_arrays(lists.chunks) if lists.num_chunks else pa.array([], lists.type)
    lines = lists.flatten()
    person = group.person
    if person is None:
        person_keys = pa.nulls(len(lines), pa.int64())
    else:
        person_keys = keys(person.identifier_kind or "RRN", pc.struct_field(lines, person.name))
    fields = [pc.struct_field(lines, "_line_no"), person_keys]
    fields += [pc.struct_field(lines, c.name) for c in group.content]
    names = ["_line_no", "_person_key", *(c.name for c in group.content)]
    structs = pa.StructArray.from_arrays(fields, names)
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cast(pc.cumulative_sum(lengths), pa.int32())])
    return pa.ListArray.from_arrays(offsets, structs, mask=pc.is_null(lists))
