"""A batch in, one pandas frame for its documents and one for the lines of each group out.

Columns carry official names. `_row` says which document a row or line belongs to. A column `_covers_<name>` exists
only where consent covers the column in some documents and not in others. Values are kept as they came: texts as
objects, whole numbers as Python's own, so that no large amount is rounded.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schemas.column import Column
from schemas.contract import Contract
from schemas.expectations import ROW

Covered = Sequence[frozenset[str]] | None
COVERS = "_covers_"


@dataclass(frozen=True)
class Frame:
    group: str | None
    data: pd.DataFrame


def frames(batch: pa.Table, contract: Contract, covered: Covered) -> tuple[Frame, ...]:
    """The documents' frame first. `batch` matches the contract's schema; `covered` has one set of paths a row."""
    own = [f for f in batch.schema if f.name not in {g.name for g in contract.groups}]
    rows = np.arange(batch.num_rows, dtype=np.int64)
    columns = {f.name: batch.column(f.name) for f in own}
    live = ~_booleans(batch.column("_is_deleted")) if "_is_deleted" in batch.column_names else None
    found = [_frame(contract.group, columns, contract.columns, rows, covered, live)]
    for group in contract.groups:
        lists = batch.column(group.name).combine_chunks()
        parents = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int64)
        lines = pc.list_flatten(lists)
        cells = {f.name: pc.struct_field(lines, f.name) for f in lines.type}
        found.append(_frame(group.name, cells, group.columns, parents, covered, live))
    return tuple(found)


def _frame(
    group: str | None,
    columns: dict[str, pa.Array | pa.ChunkedArray],
    described: Iterable[Column],
    rows: npt.NDArray[np.int64],
    covered: Covered,
    live: npt.NDArray[np.bool_] | None,
) -> Frame:
    official = {c.name: c.publishes or c.name for c in described}
    data = {official.get(name, name): _series(values) for name, values in columns.items()}
    data[ROW] = pd.Series(rows)
    for column in described:
        if column.is_required and not column.is_identifier:
            name = official[column.name]
            mask = _covers(column.paths(group), covered, live, rows)
            if not mask.all():
                data[COVERS + name] = pd.Series(mask)
    return Frame(group, pd.DataFrame(data))


def _covers(
    needed: Sequence[str], covered: Covered, live: npt.NDArray[np.bool_] | None, rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """For each row, whether consent covers every needed path; a tombstone has no content to cover."""
    mask = np.ones(len(rows), dtype=np.bool_)
    if covered is not None:
        by_row = np.fromiter((paths.issuperset(needed) for paths in covered), dtype=np.bool_, count=len(covered))
        mask &= by_row[rows]
    if live is not None:
        mask &= live[rows]
    return mask


def _booleans(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    flags: npt.NDArray[np.bool_] = column.combine_chunks().fill_null(False).to_numpy(zero_copy_only=False)
    return flags.astype(np.bool_)


def _series(values: pa.Array | pa.ChunkedArray) -> pd.Series:
    return values.to_pandas() if pa.types.is_timestamp(values.type) else pd.Series(values.to_pylist(), dtype=object)
