"""The quality gate: a staged batch in, verdict, good rows and failing rows out.

Great Expectations decides. A row fails with every expectation that it breaks, a line's with the line's; past the
contract's failing share the batch is refused, and so it is when an expectation could not be evaluated. A batch whose
columns are not the contract's is no batch of it (F22). What is only noted (`quality.notes`) fails no row.

Try it: `check(batch, schemas.contract.source("RRT"))`.
"""

from collections import defaultdict
from dataclasses import replace

import pyarrow as pa

from hanbeon.errors import SchemaDrift
from quality.frames import Covered, Frame, frames
from quality.handwritten import add_helpers
from quality.notes import notes
from quality.suite import Outcome, all_suites, run
from quality.verdict import ExpectationResult, Verdict
from schemas.contract import Contract
from schemas.expectations import Suite

__all__ = ["Covered", "ExpectationResult", "Verdict", "check"]

REASONS_FIELD = pa.field("_reasons", pa.list_(pa.string()))


def check(batch: pa.Table, contract: Contract, covered: Covered = None) -> Verdict:
    """Judge bronze rows of a source contract, or gold rows of a published one.

    `covered` names, for each row, the official paths that consent covers (None: all): a required column is required
    only there. Raises SchemaDrift when the columns are not the contract's.
    """
    schema = contract.bronze_schema if contract.kind == "source" else contract.gold_schema
    refuse_drift(batch.schema, schema, contract)
    if covered is not None and len(covered) != batch.num_rows:
        raise ValueError(f"{contract.id}: {len(covered)} sets of covered columns for {batch.num_rows} rows.")
    judged, noted = _judge(batch.select(schema.names), contract, covered)
    results = tuple(outcome.result(contract, suite) for suite, outcome in judged)
    return replace(verdict(contract, batch, results, reasons(judged)), notes=noted)


def refuse_drift(found: pa.Schema, expected: pa.Schema, contract: Contract) -> None:
    """Raises SchemaDrift naming contract, column, found and expected (F22)."""
    for name in expected.names:
        has = found.field(name).type if name in found.names else "no such column"
        if has != expected.field(name).type:
            raise _drift(contract, name, has, expected.field(name).type)
    for name in found.names:
        if name not in expected.names:
            raise _drift(contract, name, found.field(name).type, "no such column")


def _drift(contract: Contract, column: str, found: object, expected: object) -> SchemaDrift:
    return SchemaDrift(
        f"Contract {contract.id} {contract.version}, column {column}: found {found}, expected {expected}. "
        "This dataset stops; agree on a new contract version with the holder, or have the delivery corrected."
    )


def verdict(
    contract: Contract, batch: pa.Table, results: tuple[ExpectationResult, ...], failing: dict[int, list[str]]
) -> Verdict:
    """Split the batch; refuse it past the contract's share, or when anything was not evaluated."""
    rows = batch.num_rows
    is_blind = not all(r.is_evaluated for r in results)
    is_refused = is_blind or (rows > 0 and len(failing) / rows > contract.maximum_failing_share)
    numbers = sorted(failing)
    bad = batch.take(pa.array(numbers, pa.int64()))
    bad = bad.append_column(REASONS_FIELD, pa.array([failing[n] for n in numbers], REASONS_FIELD.type))
    good = (
        batch.slice(0, 0) if is_refused else batch.take(pa.array(sorted(set(range(rows)) - set(numbers)), pa.int64()))
    )
    return Verdict(contract.id, is_refused, rows, good, bad, results)


def reasons(judged: list[tuple[Suite, Outcome]]) -> dict[int, list[str]]:
    """For each failing row, the sentences of what it breaks, in the suites' order."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for _, outcome in judged:
        for row in outcome.failing_rows:
            found[row].append(outcome.expectation.text)
    return dict(found)


def _judge(
    batch: pa.Table, contract: Contract, covered: Covered
) -> tuple[list[tuple[Suite, Outcome]], tuple[ExpectationResult, ...]]:
    suites = all_suites(contract)
    if batch.num_rows == 0:
        return [(s, Outcome(e, 0, 0, frozenset(), is_evaluated=True)) for s in suites for e in s.expectations], ()
    found = frames(batch, contract, covered)
    add_helpers(contract, found, covered)
    judged = [(suite, outcome) for suite, frame in _paired(suites, found) for outcome in run(suite, frame)]
    return judged, notes(contract, found)


def _paired(suites: tuple[Suite, ...], found: tuple[Frame, ...]) -> list[tuple[Suite, Frame]]:
    by_group = {f.group: f for f in found}
    return [(s, by_group[s.group]) for s in suites]
