"""Great Expectations decides; the plain rules of `schemas.rules` decide the same, on random batches."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quality.gate import check
from quality.handwritten import expectations as handwritten
from schemas.column import Column
from schemas.contract import Contract, sources
from schemas.rules import violations
from tests.quality.batches import Row, batch

Case = tuple[Contract, pa.Table, list[frozenset[str]] | None]

TEXTS = [
    "",
    "0",
    "20260230",
    "20240229",
    "20260601\n",
    "902101-1234567",
    "９０２１０１１２３４５６７",
    "가" * 201,
    "Y\n",
    " ",
]
NUMBERS = [0, -1, 10**15 - 1, 10**15, 10**18 - 1, 10**18, -(10**15) + 1, -(10**15), 2**53 + 1]

FRACTIONS = [Decimal(0), Decimal("-0.01"), Decimal("0.01"), Decimal(100), Decimal("100.01"), Decimal(999)]


def values(column: Column) -> st.SearchStrategy[Any]:
    pools: dict[str, list[Any]] = {"string": TEXTS, "number": FRACTIONS}
    pool = pools.get(column.logical_type, NUMBERS)
    usual = st.sampled_from([column.good_example, column.bad_example, None])
    return st.just(column.good_example) | usual | st.sampled_from(pool)


@st.composite
def spoiled(draw: st.DrawFn) -> Case:
    """A contract, a few rows with values good, bad and odd, and what consent covers in each row."""
    contract = draw(st.sampled_from(sources()))
    rows = draw(st.integers(1, 12))

    def spoil(given_rows: list[Row]) -> None:
        for row in given_rows:
            row |= {c.name: draw(values(c)) for c in contract.content}
            for group in contract.groups:
                count = draw(st.integers(0, 3))
                row[group.name] = None if count == 3 else [
                    {"_line_no": n, "_person_key": None} | {c.name: draw(values(c)) for c in group.content}
                    for n in range(count)
                ]  # fmt: skip

    paths = st.frozensets(st.sampled_from(contract.column_paths))
    covered = draw(st.none() | st.lists(paths, min_size=rows, max_size=rows))
    return contract, batch(contract, rows, spoil), covered


def by_plain_rules(contract: Contract, row: Row, paths: frozenset[str] | None) -> set[str]:
    """What the rules of each column say of one row: the same sentences, found value by value."""
    found: set[str] = set()
    places: list[tuple[str | None, tuple[Column, ...], list[Row]]] = [(None, contract.content, [row])]
    places += [(g.name, g.content, row[g.name] or []) for g in contract.groups]
    for group, columns, lines in places:
        for column in columns:
            path = f"{group}.{column.publishes}" if group else column.publishes
            for line in lines:
                for sentence in violations(column, line[column.name]):
                    if line[column.name] is not None or paths is None or path in paths:
                        found.add(f"{path}: {sentence}")
    return found


@settings(max_examples=14, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(spoiled())
def test_great_expectations_and_the_plain_rules_give_one_verdict(case: Case) -> None:
    contract, given_batch, covered = case
    found = check(given_batch, contract, covered)
    assert all(r.is_evaluated for r in found.results)
    groups: list[str | None] = [None, *(g.name for g in contract.groups)]
    relations = {e.text for group in groups for e in handwritten(contract, group)}
    told = {
        row["_evidence_id"]: set(row["_reasons"]) - relations
        for row in found.failing.to_pylist()
        if set(row["_reasons"]) - relations
    }
    expected = {
        row["_evidence_id"]: broken
        for number, row in enumerate(given_batch.to_pylist())
        if (broken := by_plain_rules(contract, row, None if covered is None else covered[number]))
    }
    assert told == expected
