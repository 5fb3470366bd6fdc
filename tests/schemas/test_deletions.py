"""Nothing leaves a contract unnoticed: each column, code and example, deleted alone, is found and named.

In memory, over every contract of the project. Codes are held against `codes.txt`, the list that people agreed on;
`python -m tests.schemas.test_deletions` writes it anew when a list changed on purpose.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import yaml

from consent.gate import EXPLAINED_SCHEMA, GATE_SCHEMA
from consent.snapshot import APPLICATIONS_SCHEMA, PAPERS_SCHEMA
from lake.engine import scratch
from pipeline.agreement import AGREEMENT, NAMES
from pipeline.bundles import BUNDLES, STATED, requirements
from pipeline.evidence import ASKED_SCHEMA, EVIDENCE_SCHEMA
from schemas import codes, statutes
from schemas.check import check
from schemas.column import Column
from schemas.contract import Contract, load_all
from schemas.render import DBT_FOLDER, MARTS_FILE

PINNED = Path(__file__).parent / "codes.txt"
Place = tuple[str | None, Column]


def family(contract: Contract) -> list[Contract]:
    """The contracts that the check holds against each other: those of one document type."""
    document = contract.properties.get("documentType")
    return [c for c in load_all() if c.properties.get("documentType") == document]


@cache
def known_findings(document: str | None) -> frozenset[str]:
    """What the check says of a family alone, the rest of the project being absent."""
    return frozenset(check([c for c in load_all() if c.properties.get("documentType") == document]))


def new_findings(contract: Contract, changed: Contract) -> list[str]:
    given = [changed if c is contract else c for c in family(contract)]
    known = known_findings(contract.properties.get("documentType"))
    return [f for f in check(given) if f not in known] + drift(changed)


def drift(contract: Contract) -> list[str]:
    """Columns of the committed dbt contract, or of what is computed when it is committed, that this contract lacks."""
    if contract.kind != "published":
        return []
    made = computed()[contract.name] if contract.name in computed() else committed()[contract.name]
    return [f"{contract.name}.{c} is made and not in the contract" for c in made - set(contract.gold_schema.names)]


@cache
def computed() -> dict[str, frozenset[str]]:
    return {
        BUNDLES: bundle_columns(),
        AGREEMENT: frozenset(NAMES.values()),
        statutes.PUBLISHED: frozenset(statutes.row_of(statutes.articles()[0], None)),
    }


def bundle_columns() -> frozenset[str]:
    with scratch() as duck:
        needed = requirements(APPLICATIONS_SCHEMA.empty_table(), PAPERS_SCHEMA.empty_table(),
                              GATE_SCHEMA.empty_table(), EXPLAINED_SCHEMA.empty_table())  # fmt: skip
        given = {"needed": needed, "evidence": EVIDENCE_SCHEMA.empty_table(), "asked": ASKED_SCHEMA.empty_table()}
        for name, table in given.items():
            duck.register(name, table)
        return frozenset(duck.execute(STATED, {"today": "20260601"}).to_arrow_table().column_names)


@cache
def committed() -> dict[str, frozenset[str]]:
    text = (DBT_FOLDER / MARTS_FILE).read_text(encoding="utf-8")
    tables = [v | {"name": v["defined_in"]} for m in yaml.safe_load(text)["models"] for v in m.get("versions", ())]
    tables += [m for m in yaml.safe_load(text)["models"] if "columns" in m]
    return {t["name"]: frozenset(c["name"] for c in t["columns"]) for t in tables}


def places(contract: Contract) -> Iterator[Place]:
    yield from ((None, c) for c in contract.columns)
    yield from ((g.name, c) for g in contract.groups for c in g.columns)


def put(contract: Contract, place: Place, column: Column | None) -> Contract:
    """The contract with another column in this place, or none."""
    group, former = place

    def swapped(columns: tuple[Column, ...]) -> tuple[Column, ...]:
        return tuple(k for c in columns if (k := column if c is former else c) is not None)

    if group is None:
        return replace(contract, columns=swapped(contract.columns))
    groups = tuple(replace(g, columns=swapped(g.columns)) if g.name == group else g for g in contract.groups)
    return replace(contract, groups=groups)


def names_it(findings: list[str], place: Place) -> bool:
    group, column = place
    if column.is_identifier:  # it publishes nothing; the finding names what is no longer identified
        return any("identifies the subject" in f or f"where {group} identifies" in f for f in findings)
    return any(name in f for f in findings for name in (column.name, column.publishes) if name)


ALL = pytest.mark.parametrize("contract", load_all(), ids=lambda c: c.id.removeprefix("urn:hanbeon:"))


@ALL
def test_any_column_that_is_deleted_is_named(contract: Contract) -> None:
    unnoticed = [p[1].name for p in places(contract) if not names_it(new_findings(contract, put(contract, p, None)), p)]
    assert unnoticed == []


@ALL
def test_any_example_that_is_deleted_is_named(contract: Contract) -> None:
    for place in places(contract):
        column = place[1]
        for label, without in (
            ("good", replace(column, good_example=None)),
            ("bad", replace(column, bad_example=None)),
        ):
            if without != column:
                found = new_findings(contract, put(contract, place, without))
                assert any(column.name in f and f"no {label} example" in f for f in found), column.name


@ALL
def test_any_code_list_that_is_taken_from_a_column_is_named(contract: Contract) -> None:
    for place in places(contract):
        if place[1].code_list:
            found = new_findings(contract, put(contract, place, replace(place[1], code_list=None)))
            assert names_it(found, place), place[1].name


def lists() -> list[str]:
    return [name for name in codes.names() if name not in codes.REGION_LISTS]  # test_regions counts those


def pinned() -> dict[str, list[str]]:
    lines = (line.split("\t") for line in PINNED.read_text(encoding="utf-8").splitlines())
    return {name: found for name, *found in lines}


@pytest.mark.parametrize("name", lists())
def test_any_code_that_is_deleted_or_added_is_named(name: str) -> None:
    known = pinned()
    assert name in known, f"code list {name} is not in {PINNED.name}; write it anew"
    gone, come = set(known[name]) - codes.codes(name), codes.codes(name) - set(known[name])
    assert (gone, come) == (set(), set()), f"codes of {name} left or came; write {PINNED.name} anew if on purpose"


def test_a_deleted_list_is_named() -> None:
    assert set(pinned()) - set(lists()) == set()


if __name__ == "__main__":
    PINNED.write_text("".join("\t".join((n, *sorted(codes.codes(n)))) + "\n" for n in lists()), encoding="utf-8")
