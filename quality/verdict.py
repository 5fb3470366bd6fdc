"""What the quality gate says of a batch, and the rows that `ops/verdicts` keeps of it: no personal value in either."""

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from schemas.contract import Contract

VERDICTS_SCHEMA = pa.schema(
    [
        pa.field("run_id", pa.string()),
        pa.field("table", pa.string()),
        pa.field("contract_id", pa.string()),
        pa.field("contract_version", pa.string()),
        pa.field("contract_digest", pa.string()),
        pa.field("suite", pa.string()),
        pa.field("expectation", pa.string()),
        pa.field("group", pa.string()),
        pa.field("column", pa.string()),
        pa.field("element_count", pa.int64()),
        pa.field("unexpected_count", pa.int64()),
        pa.field("success", pa.bool_()),
        pa.field("verdict", pa.string()),
        pa.field("checked_at", pa.timestamp("us", tz="UTC")),
    ]
)

NOTED = "noted"


@dataclass(frozen=True)
class ExpectationResult:
    """How one expectation fared. `is_evaluated` is false when it could not be judged at all."""

    suite: str
    contract: Contract
    expectation: str
    column: str
    group: str | None
    element_count: int
    unexpected_count: int
    success: bool
    is_evaluated: bool = True
    table: str | None = None  # where a verdict speaks of several tables

    @property
    def place(self) -> str:
        return f"{self.group}.{self.column}" if self.group else self.column


@dataclass(frozen=True)
class Verdict:
    """`good` and `failing` hold the batch's columns; `failing` adds `_reasons`, safe sentences.

    `good` is empty when the batch is refused, so that a caller who forgets to ask publishes nothing. `notes` are checks
    that decide nothing: how many values they remark on is kept with the rest.
    """

    suite: str
    is_refused: bool
    row_count: int
    good: pa.Table
    failing: pa.Table
    results: tuple[ExpectationResult, ...]
    notes: tuple[ExpectationResult, ...] = ()

    @property
    def failures(self) -> tuple[ExpectationResult, ...]:
        return tuple(r for r in self.results if not r.success)

    @property
    def message(self) -> str:
        """One sentence for the person who must act (P7): contract, rows, and each broken expectation."""
        if not self.is_refused:
            return f"{self.suite} passed: {self.failing.num_rows} of {self.row_count} rows failed."
        broken = "; ".join(
            f"{r.place}: {r.expectation} ({_count(r)})"
            for r in sorted(self.failures, key=lambda r: (r.is_evaluated, -r.unexpected_count))[:5]
        )
        more = len(self.failures) - 5
        return (
            f"The quality gate refused a batch of contract {self.suite}: {self.failing.num_rows} of {self.row_count} "
            f"rows fail ({broken}{f'; and {more} more' if more > 0 else ''}). Nothing was published; "
            "ask the holder, or correct the contract."
        )

    def rows(self, run_id: str, table: str, at: datetime) -> pa.Table:
        """One row for each expectation, as `ops/verdicts` keeps them; of a note the verdict is `noted`."""
        common = {"run_id": run_id, "verdict": "refused" if self.is_refused else "passed", "checked_at": at}
        kept = ("suite", "expectation", "group", "column", "element_count", "unexpected_count", "success")
        rows = [
            common
            | said
            | {name: getattr(r, name) for name in kept}
            | {"table": r.table or table, "contract_id": r.contract.id}
            | {"contract_version": r.contract.version, "contract_digest": r.contract.digest}
            for said, results in (({}, self.results), ({"verdict": NOTED}, self.notes))
            for r in results
        ]
        return pa.Table.from_pylist(rows, schema=VERDICTS_SCHEMA)


def _count(result: ExpectationResult) -> str:
    return f"{result.unexpected_count} of {result.element_count}" if result.is_evaluated else "could not be evaluated"
