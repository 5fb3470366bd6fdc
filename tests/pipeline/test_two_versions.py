"""Two major versions of a document in one lake: same gate, same erasing, same proof, and an end (P1, P3, P4).

The family certificate of the small lake gets a second version, which calls the subject's name otherwise, while a column
of the former version's lines is made of two of today's. What dbt would make of bronze is made here by hand; the page
docs/change-a-contract.md does the same with dbt and the command line.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from consent import ledger
from hanbeon.clock import SEOUL, now, seoul_date
from hanbeon.commands.doctor import overlaps
from lake import tables
from pipeline.commit import Change, Current, commit
from pipeline.erase import erase
from pipeline.ledger_copy import copy_ledger
from pipeline.pack import write_pack
from pipeline.publish import gold_plans, share_plans
from pipeline.run import Run
from pipeline.sharing import gold_plan, overdue
from pipeline.staging import Staged
from pipeline.telling import concerned_by
from pipeline.trace import trace_authorisation, trace_row
from schemas.contract import FOLDER, Contract, gold, load_all, marts, read, source
from tests.small_lake import SmallLake
from tests.two_versions import pretend, put, second_version
from verify import lake as full
from verify import verify as plain

V1, V2 = "family_relation_certificate", "family_relation_certificate_v2"
LINES = "relatives"
LAST_DAY = seoul_date(now()) + timedelta(days=3)  # while the small lake's consents still stand
END = datetime.combine(LAST_DAY + timedelta(days=1), time(), SEOUL)  # the first instant after it
Rows = Mapping[str, pa.Table]


@dataclass(frozen=True)
class Lake:
    lake: SmallLake
    run: Run
    clock: list[datetime]

    def held(self, name: str) -> list[dict[str, Any]]:
        root = self.run.settings.lake_root
        handle = tables.open_table(root, name)
        assert handle is not None, name
        return tables.read(root, name, schema=tables.schema_of(handle)).to_pylist()

    def is_empty(self, name: str) -> bool:
        return tables.is_empty(self.run.settings.lake_root, name)


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Contract, ...]:
    """The project's, with two versions of the family certificate."""
    folder = tmp_path_factory.mktemp("contracts")
    own = [c for c in load_all() if c.properties.get("documentType") == "FAMR"]
    for contract in own:
        put(folder / contract.path.relative_to(FOLDER), yaml.safe_load(contract.path.read_text(encoding="utf-8")))
    second_version(folder, V1, "scourt__family_register", {"SELF_FLNM": ("FLNM", "성명")}, str(LAST_DAY))
    file = folder / "published" / f"{V1}__{LINES}.yaml"
    lines = yaml.safe_load(file.read_text(encoding="utf-8"))
    name = next(p for p in lines["schema"][0]["properties"] if p["name"] == "FAM_NM")
    made_of = [f"{LINES}.FAM_NM", f"{LINES}.FAM_BRDT"]
    name["customProperties"].append({"property": "consentedAs", "value": made_of})
    put(file, lines)
    return (*(c for c in load_all() if c not in own), *(read(p) for p in sorted(folder.rglob("*.yaml"))))


@pytest.fixture
def two(own_lake: SmallLake, contracts: tuple[Contract, ...], monkeypatch: pytest.MonkeyPatch) -> Lake:
    """The small lake after the change of contract, published; its clock can be set."""
    pretend(monkeypatch, contracts)
    clock = [own_lake.run.at()]
    run = replace(own_lake.run, at=lambda: clock[0])
    lake = Lake(own_lake, run, clock)
    publish(lake)
    return lake


def publish(lake: Lake, change: Callable[[dict[str, Any]], None] = lambda row: None) -> None:
    """Gold of both versions and the shares, as the publication commits them."""
    standard = standardised(lake, change)
    keys = pa.table({"_subject_key": pa.array([c.key for c in (lake.lake.one, lake.lake.two)], pa.int64())})
    none = keys.slice(0, 0)
    recomputed = {
        c.document_type: keys if c.document_type == "FAMR" else none for c in load_all() if c.kind == "source"
    }
    staged = Staged(standard, recomputed, "", ledger.position(lake.run.conn))
    coming = {name for name, table in standard.items() if table.num_rows}
    plans = [p for p in gold_plans(lake.run, staged) if p.table.startswith(f"gold/{V1}")]
    shares = [p for p in share_plans(lake.run, coming) if p.table.partition("/")[2].partition("/")[2].startswith(V1)]
    commit(lake.run, plans + shares, {})


def standardised(lake: Lake, change: Callable[[dict[str, Any]], None]) -> Rows:
    """What the models would say: both versions from one bronze row."""
    contract = source("FAMR")
    root, group = lake.run.settings.lake_root, contract.groups[0]
    rows = tables.read(root, f"bronze/{contract.dataset}", schema=contract.bronze_schema).to_pylist()
    made: dict[str, list[dict[str, Any]]] = {V1: [], V2: [], f"{V1}__{LINES}": [], f"{V2}__{LINES}": []}
    for row in rows:
        today = {**row, **{str(c.publishes): row[c.name] for c in contract.content}}
        change(today)
        made[V2].append(today)
        made[V1].append(today | {"SELF_FLNM": today["FLNM"]})
        for line in row[group.name]:
            said = {str(c.publishes): line[c.name] for c in group.content}
            own = {**row, **said, "_line_no": line["_line_no"], "_person_key": line["_person_key"]}
            made[f"{V2}__{LINES}"].append(own)
            made[f"{V1}__{LINES}"].append(own | {"FAM_NM": f"{own['FAM_NM']} ({own['FAM_BRDT']})"})
    return {
        c.name: pa.Table.from_pylist(
            [{n: r.get(n) for n in c.gold_schema.names} for r in made.get(c.name, [])], schema=c.gold_schema
        )
        for c in marts()
    }


def test_p1_both_versions_hold_the_same_people_each_under_its_own_names(two: Lake) -> None:
    names = {row["FLNM"] for row in two.held(f"gold/{V2}")}
    assert names == {"김하나", "이두리"}
    assert {row["SELF_FLNM"] for row in two.held(f"gold/{V1}")} == names
    assert "FLNM" not in two.held(f"gold/{V1}")[0]
    ids = [
        sorted(row["_evidence_id"] for row in two.held(f"gold/{v}{g}")) for v in (V1, V2) for g in ("", f"__{LINES}")
    ]
    assert ids[0] == ids[1] == ids[2] == ids[3]
    assert {row["FLNM"] for row in two.held(f"shares/mogef/{V2}")} == names
    assert {row["SELF_FLNM"] for row in two.held(f"shares/mogef/{V1}")} == names


def test_p1_a_former_column_that_is_made_of_several_needs_all_of_them(two: Lake) -> None:
    assert two.lake.one.consent is not None
    ledger.withdraw(two.run.conn, two.lake.one.consent, two.run.at())
    erase(two.run)
    key = two.lake.one.key
    (former,) = [r for r in two.held(f"gold/{V1}__{LINES}") if r["_subject_key"] == key]
    (today,) = [r for r in two.held(f"gold/{V2}__{LINES}") if r["_subject_key"] == key]
    assert (former["FAM_NM"], former["FAM_REL_CD"]) == (None, today["FAM_REL_CD"])
    assert (today["FAM_NM"] is None, today["FAM_BRDT"]) == (False, None)
    assert [r["FAM_NM"] for r in two.held(f"shares/mohw/{V1}__{LINES}")] == [None]
    assert [r["FAM_NM"] for r in two.held(f"shares/mohw/{V2}__{LINES}")] == [today["FAM_NM"]]


def test_p4_a_withdrawal_empties_both_and_agencies_are_told(two: Lake) -> None:
    for consent in (two.lake.one.consent, two.lake.one.second_consent, two.lake.two.consent):
        assert consent is not None
        ledger.withdraw(two.run.conn, consent, two.run.at())
    summary = erase(two.run)
    assert summary.counts["residue"] == 0
    for table in (f"gold/{V1}", f"gold/{V1}__{LINES}", f"gold/{V2}", f"shares/mogef/{V1}", f"shares/mogef/{V2}"):
        assert two.is_empty(table), table
    assert concerned_by([f"gold/{V1}__{LINES}"]) == concerned_by([f"gold/{V2}"]) == ["scourt"]


def test_p3_a_former_row_is_traced_and_packed_like_any_other(two: Lake, tmp_path: Path) -> None:
    row = two.held(f"gold/{V1}")[0]
    shared = two.held(f"shares/mogef/{V1}")[0]
    assert trace_row(two.run, f"gold/{V1}", row["_evidence_id"], "kim").dataset == "scourt/family_register"
    assert len(trace_row(two.run, f"shares/mogef/{V1}", shared["_evidence_id"], "kim").standings) == 3
    assert two.lake.two.consent is not None
    held = {r.table for r in trace_authorisation(two.run, two.lake.two.consent, "kim").rows}
    assert held >= {f"gold/{V1}", f"gold/{V2}", f"gold/{V1}__{LINES}", f"shares/mogef/{V1}", f"shares/mogef/{V2}"}
    newest = two.held(f"gold/{V2}")[0]
    write_pack(two.run, tmp_path / "pack", f"gold/{V2}", newest["_evidence_id"], "kim")
    report = plain.verify(tmp_path / "pack")
    assert report.findings == []
    assert "rows/0.json: FLNM is shown under consent to SELF_FLNM, the pack says." in report.remarks


def test_the_verifier_finds_nothing_and_says_which_columns_it_takes_on_trust(
    two: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    copy_ledger(two.run)
    assert full.main(two.run.settings.lake_root, None, None, False) == 0
    said = capsys.readouterr().out
    assert f"gold/{V2}: FLNM is held under consent to SELF_FLNM, the commit says." in said
    assert f"{V1}__{LINES}: FAM_NM is held under consent to {LINES}.FAM_NM and {LINES}.FAM_BRDT" in said
    assert f"gold/{V1}: SELF_FLNM is held" not in said


def test_the_verifier_finds_a_former_column_of_which_only_a_part_is_covered(
    two: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    table = f"gold/{V1}__{LINES}"
    before = two.held(table)
    assert two.lake.one.consent is not None
    ledger.withdraw(two.run.conn, two.lake.one.consent, two.run.at())
    contract = gold(f"{V1}__{LINES}")
    kept = [r | {"_authorisation_id": two.lake.one.second_consent, "FAM_BRDT": None} for r in before]
    own = [r for r in kept if r["_subject_key"] == two.lake.one.key]
    wanted = pa.Table.from_pylist(own, schema=contract.gold_schema)
    commit(two.run, [gold_plan(contract, lambda current: Change(wanted, None) if len(current.allowed) else None)], {})
    copy_ledger(two.run)
    full.main(two.run.settings.lake_root, None, None, False)
    said = capsys.readouterr().out
    assert f"FAILED {table}: 1 rows: they hold {LINES}.FAM_BRDT, which no authorisation lets stand" in said


def test_p1_after_the_last_day_in_seoul_the_next_publication_empties_the_former_version(two: Lake) -> None:
    former = [f"gold/{V1}", f"gold/{V1}__{LINES}", f"shares/mogef/{V1}", f"shares/mogef/{V1}__{LINES}"]
    for before in (END - timedelta(days=1), END - timedelta(microseconds=1)):  # the last day begins, and ends
        two.clock[0] = before
        publish(two)
        assert overdue(two.run) == []
        assert not any(map(two.is_empty, former))
    for after in (END, END + timedelta(days=1)):
        two.clock[0] = after
        assert bool(overdue(two.run)) is (after == END)
        assert max(f.exit_code for f in overlaps(two.run)) == (after == END)
        publish(two)
        assert overdue(two.run) == []
        assert all(map(two.is_empty, former))
    assert not two.is_empty(f"gold/{V2}")
    assert not two.is_empty(f"shares/mogef/{V2}__{LINES}")
    said = [f.detail for f in overlaps(two.run)]
    assert all("may be removed" in sentence for sentence in said)
    assert len(said) == 2  # the document and its lines


def test_p1_an_overlap_that_ends_during_a_commit_is_asked_about_again(two: Lake) -> None:
    two.clock[0] = END - timedelta(microseconds=1)
    contract, seen = gold(V1), list[int]()

    def compute(current: Current) -> Change | None:
        seen.append(current.allowed_of(contract).num_rows)
        two.clock[0] = END
        return None

    commit(two.run, [gold_plan(contract, compute)], {})
    assert (seen[0] > 0, seen[1:]) == (True, [0])


def test_p4_an_erasure_alone_empties_it_too_and_the_rows_stay_under_their_new_name(two: Lake) -> None:
    two.clock[0] = END
    erase(two.run)
    assert two.is_empty(f"gold/{V1}")
    assert two.is_empty(f"shares/mogef/{V1}__{LINES}")
    assert not two.is_empty(f"gold/{V2}")


def test_p1_a_table_whose_contract_was_removed_is_emptied(
    two: Lake, contracts: tuple[Contract, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, [c for c in contracts if not c.name.startswith(V1) or c.table.major > 1])
    erase(two.run)
    for name in (f"gold/{V1}", f"gold/{V1}__{LINES}", f"shares/mogef/{V1}", f"shares/mohw/{V1}__{LINES}"):
        assert two.is_empty(name), name
    assert not two.is_empty(f"gold/{V2}")
    assert erase(two.run).verdict == "unchanged"
    copy_ledger(two.run)
    assert full.main(two.run.settings.lake_root, None, None, False) == 0
