"""The gate before publishing: all published tables in, one verdict over them out.

Each table is held to its contract (types, keys, codes, ranges, days, hidden resident numbers), and the tables to each
other: a line has its document. Bronze has let only good rows through, so one
failing row here means that a model is wrong, and everything is refused. What consent left empty is not asked for: the
tables do not say which columns are covered.
"""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from hanbeon.errors import SchemaDrift
from quality.frames import Frame, frames
from quality.gate import REASONS_FIELD, refuse_drift
from quality.handwritten import add_helpers
from quality.suite import Outcome, all_suites, run
from quality.verdict import ExpectationResult, Verdict
from schemas.contract import Contract, gold
from schemas.expectations import Expectation, Suite

HAS_DOCUMENT = "_has_document"
_WITH_DOCUMENT = Expectation(
    "expect_column_values_to_be_in_set",
    {"column": HAS_DOCUMENT, "value_set": [True]},
    "has its document",
    "_evidence_id",
)


def check_gold(tables: Mapping[str, pa.Table]) -> Verdict:
    """Judge tables that are about to be published, by name (`income_certificate`).

    Raises MalformedContract for a table without contract.
    """
    results: list[ExpectationResult] = []
    failing: dict[tuple[str, int], list[str]] = {}
    for name, table in tables.items():
        contract = gold(name)
        mismatch = _mismatch(contract, table)
        if mismatch is not None:
            results.append(mismatch)
            continue
        for suite, outcome in _judge(contract, table, tables):
            results.append(replace(outcome.result(contract, suite), table=f"gold/{name}"))
            for row in outcome.failing_rows:
                failing.setdefault((name, row), []).append(outcome.expectation.text)
    return Verdict(
        suite="gold",
        is_refused=not all(r.success for r in results),
        row_count=sum(t.num_rows for t in tables.values()),
        good=pa.table({}),
        failing=pa.table(
            {
                "_table": pa.array([name for name, _ in failing], pa.string()),
                "_reasons": pa.array(list(failing.values()), REASONS_FIELD.type),
            }
        ),
        results=tuple(results),
    )


def _judge(contract: Contract, table: pa.Table, tables: Mapping[str, pa.Table]) -> list[tuple[Suite, Outcome]]:
    (suite,) = all_suites(contract)
    (frame,) = found = frames(table, contract, None)
    expected = [e for e in suite.expectations if e.covers is None]
    if contract.group:
        _say_which_have_their_document(contract, frame, tables)
        expected.append(replace(_WITH_DOCUMENT, group=contract.group))
    suite = replace(suite, expectations=tuple(expected))
    if table.num_rows == 0:
        return [(suite, Outcome(e, 0, 0, frozenset(), is_evaluated=True)) for e in expected]
    add_helpers(contract, found, None)
    return [(suite, outcome) for outcome in run(suite, frame)]


def _say_which_have_their_document(contract: Contract, frame: Frame, tables: Mapping[str, pa.Table]) -> None:
    parent = tables.get(contract.name.removesuffix(f"__{contract.group}"))
    frame.data[HAS_DOCUMENT] = frame.data["_evidence_id"].isin(_column(parent, "_evidence_id"))


def _column(table: pa.Table | None, name: str) -> frozenset[object]:
    return frozenset(pc.unique(table.column(name)).to_pylist()) if table is not None else frozenset()


def _mismatch(contract: Contract, table: pa.Table) -> ExpectationResult | None:
    try:
        refuse_drift(table.schema, contract.gold_schema, contract)
    except SchemaDrift as drift:
        column = str(drift).partition("column ")[2].partition(":")[0]
        rows = table.num_rows
        sentence = "has the columns and types of its contract"
        return ExpectationResult(
            contract.id, contract, sentence, column, contract.group, rows, rows, False, table=f"gold/{contract.name}"
        )
    return None
