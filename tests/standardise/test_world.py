"""What the holders of the world write, standardised by the rules of their contracts, is the truth: no server between.

The world's own frames go in as bronze rows, in the forms that holders deliver; what comes out of dbt is compared with
the standard values that they were made from. Every dataset with a rule is looked at, whole.
"""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from pipeline.standardise import empty_context, standardise
from quality.gate import check
from schemas.column import Column
from schemas.contract import Contract, gold, sources
from schemas.standard import official
from sources.simulate import forms, store, world
from sources.simulate.registers import render

PEOPLE, SEED = 800, 11
ISSUED = datetime(2026, 5, 20, tzinfo=UTC)


def with_rules(contract: Contract) -> bool:
    return any(c.standardised for c in (*contract.content, *(c for g in contract.groups for c in g.content)))


RULED = [c for c in sources() if with_rules(c)]
Rendered = dict[str, store.Frames]


@pytest.fixture(scope="module")
def true() -> Rendered:
    tables = world.generate(PEOPLE, SEED)
    tables.pop("recent")
    at = {"changed_at": pl.lit(ISSUED).cast(pl.Datetime("us", "UTC"))}
    instants = store.Instants(
        tables["persons"].select("person_id", **at), tables["corporations"].select("corporation_id", **at)
    )
    return {c.published: render(tables, c.published, instants) for c in RULED}


@pytest.fixture(scope="module")
def delivered(true: Rendered) -> dict[str, pa.Table]:
    return {c.slug: bronze(c, forms.delivered(c.published, true[c.published])) for c in RULED}


@pytest.fixture(scope="module")
def standard(delivered: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    return standardise(delivered, empty_context(), tmp_path_factory.mktemp("work"))


def bronze(contract: Contract, tables: store.Frames) -> pa.Table:
    """Rows of the widest variant as a pull would leave them; identifiers become keys elsewhere."""
    lines = {g.name: by_record(tables[f"{contract.published}__{g.name}"]) for g in contract.groups}
    rows = []
    for number, record in enumerate(tables[contract.published].iter_rows(named=True)):
        row: dict[str, Any] = {
            "_subject_key": number,
            "_key_bucket": 0,
            "_evidence_id": record["record_id"],
            "_authorisation_id": "a",
            "_variant": contract.variants[-1],
            "_source_record_id": record["record_id"],
            "_source_record_hash": b"h",
            "_observed_at": ISSUED,
            "_pulled_at": ISSUED,
            "_run_id": "r",
            "_is_deleted": False,
        }
        row |= values(contract.content, record)
        for group in contract.groups:
            row[group.name] = [
                {"_line_no": one["line_no"], "_person_key": None} | values(group.content, one)
                for one in lines[group.name].get(record["record_id"], ())
            ]
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=contract.bronze_schema)


def by_record(frame: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in frame.iter_rows(named=True):
        found.setdefault(row["record_id"], []).append(row)
    return found


def values(columns: tuple[Column, ...], row: dict[str, Any]) -> dict[str, Any]:
    """By the holder's names; a holder may send a number as text."""
    return {c.name: as_sent(c, row[official(c)]) for c in columns}


def as_sent(column: Column, value: object) -> object:
    return str(value) if column.logical_type == "string" and value is not None else value


@pytest.mark.parametrize("contract", RULED, ids=lambda c: c.document_type)
def test_what_a_holder_delivers_passes_its_gate(contract: Contract, delivered: dict[str, pa.Table]) -> None:
    found = check(delivered[contract.slug], contract)
    assert found.row_count > 0
    assert [(r.place, r.expectation, r.unexpected_count) for r in found.failures] == []
    assert {n.unexpected_count for n in found.notes} <= {0}


@pytest.mark.parametrize("contract", RULED, ids=lambda c: c.document_type)
def test_a_published_table_is_the_truth(contract: Contract, true: Rendered, standard: dict[str, pa.Table]) -> None:
    for name, frame in true[contract.published].items():
        columns = [c.name for c in gold(name).columns]
        own = ["record_id", "line_no"] if "line_no" in frame.columns else ["record_id"]
        given = standard[name].rename_columns(
            [{"_evidence_id": "record_id", "_line_no": "line_no"}.get(n, n) for n in standard[name].column_names]
        )
        found = {tuple(r[k] for k in own): {c: r[c] for c in columns} for r in given.to_pylist()}
        expected = {tuple(r[k] for k in own): {c: r[c] for c in columns} for r in frame.to_dicts()}
        assert found.keys() == expected.keys()
        differing = {(c, found[k][c], v[c]) for k, v in expected.items() for c in columns if found[k][c] != v[c]}
        assert differing == set()


def test_every_rule_meets_values_that_need_it(true: Rendered) -> None:
    """A form of the world that no record has, or a rule that no form needs, would prove nothing."""
    met = set()
    for contract in RULED:
        given = forms.delivered(contract.published, true[contract.published])
        for group, columns in ((None, contract.content), *((g.name, g.content) for g in contract.groups)):
            name = f"{contract.published}__{group}" if group else contract.published
            for column in columns:
                one, other = given[name][official(column)], true[contract.published][name][official(column)]
                if column.standardised and not one.equals(other):
                    met.add(column.standardised["by"])
    assert met == {"region", "address", "name", "day", "yes_no", "amount"}
