"""Every connector against the simulated agencies: what they bring is what the holders truly hold, as they write it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hanbeon.errors import SourceError
from schemas.column import Group
from schemas.contract import Contract, sources
from sources.endpoints import Endpoints
from sources.simulate import faults, world
from sources.simulate.serve import serve
from sources.simulate.truth import truth
from tests.sources.asking import everything, pull

CASES = [pytest.param(c, v, id=f"{c.document_type}-{v}") for c in sources() for v in c.variants]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    world.build(folder, 300, 7)
    return folder


@pytest.fixture(scope="module")
def agencies(home: Path) -> Iterator[Endpoints]:
    with serve(home) as endpoints:
        yield endpoints


def _documents(home: Path, contract: Contract, variant: str) -> dict[str, dict[str, Any]]:
    """Identifier to true document of one variant; its groups as lists of lines."""
    tables = truth(home, contract.document_type, as_delivered=True)
    found = {r["identifier"]: r for r in tables[contract.published].to_pylist() if r["_variant"] == variant}
    for group in contract.groups:
        for document in found.values():
            document[group.name] = []
        for line in tables[f"{contract.published}__{group.name}"].to_pylist():
            if line["_variant"] == variant:
                found[line["identifier"]][group.name].append(line)
    return found


def _true_lines(group: Group, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    made = []
    for line in sorted(lines, key=lambda x: int(x["_line_no"])):
        person = {group.person.name: line["person_identifier"]} if group.person else {}
        made.append({"_line_no": line["_line_no"]} | person | {c.name: line[str(c.publishes)] for c in group.content})
    return made


def _text(contract: Contract, name: str, value: object) -> object:
    """A holder may send as text what is published as a number."""
    is_text = next(c for c in contract.content if c.name == name).logical_type == "string"
    return str(value) if is_text and value is not None else value


@pytest.mark.parametrize(("contract", "variant"), CASES)
def test_what_is_asked_is_brought_whole_and_nothing_else_is(
    home: Path, agencies: Endpoints, contract: Contract, variant: str
) -> None:
    true = _documents(home, contract, variant)
    asked = sorted(true)[::2]
    request = everything(contract, *asked, variant=variant, is_new=True)
    rows, report = pull(contract, request, agencies)
    who = dict(zip(request.table["_subject_key"].to_pylist(), asked, strict=True))
    brought = {who[r["_subject_key"]]: r for r in rows}
    assert sorted(brought) == asked
    assert len(rows) == len(asked) == report.kept
    for identifier, row in brought.items():
        own = {c.name: _text(contract, c.name, true[identifier][str(c.publishes)]) for c in contract.content}
        assert {c.name: row[c.name] for c in contract.content} == own
        for group in contract.groups:
            assert row[group.name] == _true_lines(group, true[identifier][group.name])
    assert report.watermark == max(true[i]["_observed_at"] for i in asked).isoformat()
    assert set(report.dropped) <= ({"not_requested"} if contract.delivery.get("receivedInBulk") else set())
    assert report.withheld == {}


def test_f20_a_flaw_of_one_holder_stops_it_and_healing_brings_it_back(home: Path, agencies: Endpoints) -> None:
    contract = next(c for c in sources() if c.document_type == "FAMR")
    asked = sorted(_documents(home, contract, "general"))[:40]
    request = everything(contract, *asked, variant="general")
    try:
        faults.inject(home, "scourt", wrong_count=True)
        with pytest.raises(SourceError, match="40 of 41 records"):
            pull(contract, request, agencies)
        faults.inject(home, "scourt", poison="entity", every=4)
        rows, report = pull(contract, request, agencies)
        assert report.withheld == {"entity_refused": 40 - len(rows)}
        assert report.withheld["entity_refused"] > 0
    finally:
        faults.heal(home)
    assert len(pull(contract, request, agencies)[0]) == 40
