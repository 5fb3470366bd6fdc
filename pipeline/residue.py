"""What an erasure took from each table, and which ids must be found nowhere afterwards.

In: each table's rows before and after. Out: counts for each table, and the evidence ids that stood somewhere before
and stand in no table any more. An id that another table still lawfully holds (a document whose lines alone were
erased) is no residue.
"""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Loss:
    """Of one table: rows that went, rows that stay with fewer values."""

    removed: int
    narrowed: int


@dataclass
class Residue:
    """Collects as the tables are computed; a table that is computed again is counted once."""

    losses: dict[str, Loss] = field(default_factory=dict)
    _before: dict[str, frozenset[str]] = field(default_factory=dict)
    _after: dict[str, frozenset[str]] = field(default_factory=dict)

    def note(self, table: str, held: pa.Table, kept: pa.Table) -> None:
        self._before[table] = _ids(held)
        self._after[table] = _ids(kept)
        self.losses[table] = Loss(held.num_rows - kept.num_rows, _narrowed(held, kept))

    @property
    def needles(self) -> list[str]:
        """Ids that must be nowhere under the lake's root."""
        before: frozenset[str] = frozenset().union(*self._before.values())
        return sorted(before - frozenset().union(*self._after.values()))


def _ids(rows: pa.Table) -> frozenset[str]:
    return frozenset(rows.column("_evidence_id").to_pylist())


def _narrowed(held: pa.Table, kept: pa.Table) -> int:
    """Rows that stay, but say less than before."""
    is_line = "_line_no" in held.schema.names
    order = [("_evidence_id", "ascending")] + ([("_line_no", "ascending")] if is_line else [])
    staying = held.filter(pc.is_in(held.column("_evidence_id"), value_set=kept.column("_evidence_id").combine_chunks()))
    if staying.num_rows != kept.num_rows or staying.equals(kept):
        return 0
    pairs = zip(staying.sort_by(order).to_pylist(), kept.sort_by(order).to_pylist(), strict=True)
    return sum(_says_less(old, new) for old, new in pairs)


def _says_less(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return any(
        (value is not None and new[name] is None) or (isinstance(value, list) and value != new[name])
        for name, value in old.items()
    )
