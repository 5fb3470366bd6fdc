"""The gate before publishing: all published tables in, one verdict over them out.

Each table is held to its contract (types, keys, codes, ranges, days, hidden resident numbers), and the tables to each
other: a line has its document, a bundle points to evidence that is there. Bronze has let only good rows through, so one
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
from schemas.contract import Contract, gold, published
from schemas.expectations import Expectation, Suite

BUNDLES = "service_bundles"
HAS_DOCUMENT = "_has_document"
HAS_EVIDENCE = "_has_evidence"
BY_DATA = "satisfied_by_data"

_EXTRA = {
    HAS_DOCUMENT: Expectation(
        "expect_column_values_to_be_in_set", {"column": HAS_DOCUMENT, "value_set": [True]}, "has its document",
        "_evidence_id",
    ),
    HAS_EVIDENCE: Expectation(
        "expect_column_values_to_be_in_set", {"column": HAS_EVIDENCE, "value_set": [True]},
        "points to evidence that is there, wherever data satisfies the requirement", "_evidence_id",
    ),
}  # fmt: skip


def check_gold(tables: Mapping[str, pa.Table], retained: pa.Table | None = None) -> Verdict:
    """Judge tables that are about to be published, by name (`income_certificate`).

    `retained` holds the `_evidence_id` of evidence that stays in gold untouched; without it, a bundle may point to
    evidence of subjects that these tables do not speak of. Raises MalformedContract for a table without contract.
    """
    results: list[ExpectationResult] = []
    failing: dict[tuple[str, int], list[str]] = {}
    for name, table in tables.items():
        contract = gold(name)
        mismatch = _mismatch(contract, table)
        if mismatch is not None:
            results.append(mismatch)
            continue
        for suite, outcome in _judge(contract, table, tables, retained):
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


def _judge(
    contract: Contract, table: pa.Table, tables: Mapping[str, pa.Table], retained: pa.Table | None
) -> list[tuple[Suite, Outcome]]:
    (suite,) = all_suites(contract)
    (frame,) = found = frames(table, contract, None)
    expected = [e for e in suite.expectations if e.covers is None]
    helper = _add_helper(contract, frame, tables, retained)
    if helper:
        expected.append(replace(_EXTRA[helper], group=contract.group))
    suite = replace(suite, expectations=tuple(expected))
    if table.num_rows == 0:
        return [(suite, Outcome(e, 0, 0, frozenset(), is_evaluated=True)) for e in expected]
    add_helpers(contract, found, None)
    return [(suite, outcome) for outcome in run(suite, frame)]


def _add_helper(
    contract: Contract, frame: Frame, tables: Mapping[str, pa.Table], retained: pa.Table | None
) -> str | None:
    """Add the column that says whether a row finds its counterpart; its name, or None where nothing is sought."""
    if contract.group:
        parent = tables.get(contract.name.removesuffix(f"__{contract.group}"))
        frame.data[HAS_DOCUMENT] = frame.data["_evidence_id"].isin(_column(parent, "_evidence_id"))
        return HAS_DOCUMENT
    if contract.name == BUNDLES:
        frame.data[HAS_EVIDENCE] = _has_evidence(frame, tables, retained)
        return HAS_EVIDENCE
    return None


def _has_evidence(frame: Frame, tables: Mapping[str, pa.Table], retained: pa.Table | None) -> list[bool]:
    documents = {
        c.document_type: tables[c.name]
        for c in published()
        if "documentType" in c.properties and not c.group and c.name in tables
    }
    known = {d: _column(t, "_evidence_id") for d, t in documents.items()}
    subjects = {d: _column(t, "_subject_key") for d, t in documents.items()}
    elsewhere = _column(retained, "_evidence_id")
    rows = frame.data[["RQDOC_CD", "RQDOC_STTS_NM", "_evidence_id", "_subject_key"]].itertuples(index=False)

    def is_sound(document: str, state: str, evidence: str | None, subject: int) -> bool:
        if state != BY_DATA or evidence is None:
            return (state == BY_DATA) == (evidence is not None)
        if evidence in known.get(document, ()) or evidence in elsewhere:
            return True
        return retained is None and subject not in subjects.get(document, ())

    return [is_sound(*row) for row in rows]


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
