"""What a commit is asked to do: for each table its columns, and a function that says what it should become."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from consent.journal import PullState
from consent.snapshot import Snapshot
from lake import tables
from pipeline.asking import Asking
from schemas.contract import Contract


@dataclass(frozen=True)
class Change:
    """What the table should become: `data` replaces `buckets` (None: everything), or is appended."""

    data: pa.Table
    buckets: tuple[int, ...] | None
    is_append: bool = False


@dataclass(frozen=True)
class Current:
    """What a plan computes from: the table as it is, the ledger and the gate as of now, each read when asked for."""

    table: str
    version: int
    schema: pa.Schema
    handle: DeltaTable = field(repr=False)
    asking: Asking = field(repr=False)

    def read(self, buckets: Collection[int] | None = None) -> pa.Table:
        """The table's present rows, of all buckets or some."""
        return tables.read_handle(self.handle, self.table, self.schema, buckets)

    @property
    def snapshot(self) -> Snapshot:
        """The ledger at its newest position."""
        return self.asking.snapshot

    @property
    def allowed(self) -> pa.Table:
        """The gate's relation (GATE_SCHEMA) at that position, now."""
        return self.asking.allowed

    def allowed_of(self, contract: Contract) -> pa.Table:
        """The gate's rows of one document type; none for a former version whose overlap is over by then."""
        allowed = self.allowed
        if contract.is_over(self.asking.at):
            return allowed.slice(0, 0)
        return allowed.filter(pc.equal(allowed.column("document_type"), contract.document_type))


Compute = Callable[[Current], Change | None]


@dataclass(frozen=True)
class Plan:
    """One table's part in a commit. `also` is remembered in the same transaction as the leaf.

    `delivery` is the number of the holder's signed statement about what it delivered, where it gives one.
    `consented_as` says by which paths consent knows columns that have another name there (`pipeline.coverage`).
    """

    table: str
    schema: pa.Schema
    compute: Compute
    partitioned: bool
    also: PullState | None = None
    delivery: int | None = None
    consented_as: Mapping[str, Sequence[str]] = field(default_factory=dict)
