"""What an erasure took from each table, and which ids must be found nowhere afterwards.

In: each table's rows before and after. Out: counts for each table, and the evidence ids that stood somewhere before
and stand in no table any more. An id that another table still lawfully holds (a document whose lines alone were
erased) is no residue.
"""

from dataclasses import dataclass, field

import pyarrow as pa

from lake.engine import scratch
from pipeline.coverage import quoted


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
    """Rows that stay, but say less than before: a value that is NULL now, or a list that is another now."""
    if kept is held:  # most tables of most erasures
        return 0
    row = ["_evidence_id", *(n for n in held.schema.names if n == "_line_no")]
    is_same_row = " and ".join(f"held.{n} = kept.{n}" for n in row)
    with scratch() as duck:
        duck.register("held", held)
        duck.register("kept", kept)
        says_less = " or ".join(_says_less(field) for field in held.schema)
        found = duck.sql(f"select count(*) from held inner join kept on {is_same_row} where {says_less}").fetchone()
    return int(found[0]) if found else 0


def _says_less(field: pa.Field) -> str:
    old, new = f"held.{quoted(field.name)}", f"kept.{quoted(field.name)}"
    is_other = f"{old} is distinct from {new}" if pa.types.is_nested(field.type) else f"{new} is null"
    return f"({old} is not null and {is_other})"
