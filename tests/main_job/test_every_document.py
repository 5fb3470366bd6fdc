"""Every document type through the whole main job: what is published is what its holder truly holds of whom it may."""

from typing import Any

import pytest

from consent import blocks, ledger, vault
from schemas.contract import Contract, gold, source, sources
from sources.simulate.truth import truth
from tests.main_job.conftest import Country
from tests.main_job.holding import held, rows_of
from tests.main_job.lawful import covered


def test_every_step_succeeds_and_every_dataset_flows(whole_korea: Country) -> None:
    assert {s.verdict for s in whole_korea.summaries} <= {"passed", "unchanged"}
    asked = {s.dataset for s in whole_korea.summaries if s.verb == "pull" and s.counts["good"]}
    assert len(asked) >= 28, "documents that no service needs, and those that nobody so small a world has, stay empty"
    for contract in sources():
        if contract.dataset in asked:
            assert rows_of(whole_korea, f"bronze/{contract.dataset}", contract.bronze_schema) > 0
            assert rows_of(whole_korea, f"gold/{contract.published}", gold(contract.published).gold_schema) > 0


def official(row: dict[str, Any], contract: Contract, columns: set[str]) -> dict[str, Any]:
    prefix = f"{contract.group}." if contract.group else ""
    return {c.name: row[c.name] if prefix + c.name in columns else None for c in contract.columns}


@pytest.mark.parametrize("document_type", [c.document_type for c in sources()])
def test_gold_is_what_the_holders_truly_hold_of_whom_the_gate_names_and_nothing_else(
    whole_korea: Country, document_type: str
) -> None:
    contract = source(document_type)
    lawful = {
        (k, v): c
        for (d, k, v), c in covered(ledger.snapshot(whole_korea.run.conn), whole_korea.run.at()).items()
        if d == document_type
    }
    blocked = {(b["restricted_key"], b["victim_key"]) for b in blocks.blocks(whole_korea.run.conn).to_pylist()}
    for name, true in truth(whole_korea.home, document_type).items():
        table = gold(name)
        given = true.column("identifier").to_pylist()
        found_by = [
            vault.find(whole_korea.run.conn, whole_korea.run.secrets, kind, given).to_pylist()
            for kind in contract.subject_identifier_kinds
        ]
        keys = [next((key for key in several if key is not None), None) for several in zip(*found_by, strict=True)]
        persons = [None] * true.num_rows
        if "person_identifier" in true.schema.names:
            given = true.column("person_identifier").to_pylist()
            persons = vault.find(whole_korea.run.conn, whole_korea.run.secrets, "RRN", given).to_pylist()
        expected = []
        for row, key, person in zip(true.to_pylist(), keys, persons, strict=True):
            columns = lawful.get((key, row["_variant"]), set())
            content = official(row, table, columns)
            prefix = f"{table.group}." if table.group else ""
            if (key, person) not in blocked and any(prefix + c.name in columns for c in table.columns):
                expected.append((key, row["_variant"], row.get("_line_no"), person, tuple(content.values())))
        found = [
            (
                r["_subject_key"],
                r["_variant"],
                r.get("_line_no"),
                r.get("_person_key"),
                tuple(official(r, table, set(paths(table))).values()),
            )
            for r in held(whole_korea, f"gold/{name}", table.gold_schema)
            if r["_valid_to"] is None
        ]
        assert sorted(found, key=repr) == sorted(expected, key=repr)


def paths(contract: Contract) -> list[str]:
    return [f"{contract.group}.{c.name}" if contract.group else c.name for c in contract.columns]
