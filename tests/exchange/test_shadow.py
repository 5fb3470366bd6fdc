"""Shadow mode: a paper is compared with what consent lets flow, counted once, and not kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from consent import accesses, applications, ledger, shadow
from consent.shadow import Verdict
from exchange import sql
from exchange.agreement import at_least, report
from exchange.bundle import open_bundle
from exchange.shadow import compare
from hanbeon.errors import UsageError
from pipeline.agreement import AGREEMENT, agreement, agreement_compute
from pipeline.commit import Plan, commit
from pipeline.erase import erase
from pipeline.reading import read
from pipeline.run import Run
from schemas.contract import gold
from tests.small_lake import Citizen, SmallLake

MARK = "심어둔글자"
WITHOUT_NUMBERS = ("ISSU_NO", "ISSU_YMD", "ISSU_INST_CD")


def true_paper(run: Run, citizen: Citizen) -> dict[str, Any]:
    """What the citizen's certificate says, as a reader types it: from the bundle, since this lake has no world."""
    bundle = open_bundle(run, citizen.application or "", "typist")
    (copy,) = next(d for d in bundle.documents if d.document_type == "FAMR").copies
    paper: dict[str, Any] = {v.name: v.value for v in copy.values}
    return paper | {g.group: [{v.name: v.value for v in row} for row in g.rows] for g in copy.groups}


def published(run: Run) -> list[dict[str, Any]]:
    schema = gold(AGREEMENT).gold_schema
    commit(run, [Plan(f"gold/{AGREEMENT}", schema, agreement_compute(run), partitioned=False)], {})
    found: list[dict[str, Any]] = read(run, f"gold/{AGREEMENT}", schema).to_pylist()
    return found


def test_a_true_paper_agrees_in_every_field_and_what_is_of_the_copy_is_not_compared(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    paper = true_paper(run, two) | {"ISSU_NO": "another copy has another number"}
    found = compare(run, two.application or "", "FAMR", paper, "kim")
    assert found.reason is None
    assert set(found.verdicts.values()) == {Verdict.AGREES}
    assert {p for p in found.verdicts if p.startswith("relatives.")}
    assert not set(WITHOUT_NUMBERS) & set(found.verdicts)


def test_a_planted_difference_is_found_and_nothing_else(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    true = true_paper(run, two)
    found = compare(run, two.application or "", "FAMR", true | {"SELF_FLNM": MARK}, "kim")
    assert {p: v for p, v in found.verdicts.items() if v is not Verdict.AGREES} == {"SELF_FLNM": Verdict.DIFFERS}


def test_p9_the_comparison_is_recorded_as_an_access_to_that_document_alone(own_lake: SmallLake) -> None:
    run, one = own_lake.run, own_lake.one
    before = accesses.listing(run.conn).num_rows
    compare(run, one.application or "", "FAMR", {"SELF_FLNM": "x"}, "kim")
    rows = accesses.listing(run.conn).to_pylist()[before:]
    assert [(r["action"], r["document_type"], r["authorisation_id"], r["is_granted"]) for r in rows] == [
        ("shadow", "FAMR", one.consent, True)
    ]


def test_p1_without_an_authorisation_nothing_is_compared_or_counted(own_lake: SmallLake) -> None:
    run, two, three = own_lake.run, own_lake.two, own_lake.three
    paper = true_paper(run, two)
    ledger.withdraw(run.conn, two.consent or "", run.at())
    assert compare(run, two.application or "", "FAMR", paper, "kim").reason == "withdrawn"
    assert compare(run, three.application or "", "FAMR", paper, "kim").reason == "no_authorisation"
    assert compare(run, own_lake.one.application or "", "RRT", {}, "kim").reason == "nothing_received"
    assert agreement(run).num_rows == 0


def test_f43_columns_that_the_consent_does_not_cover_are_not_looked_at(own_lake: SmallLake) -> None:
    """The pension consent names no birthday of a relative; the single-parent consent does."""
    run, one = own_lake.run, own_lake.one
    paper = true_paper(run, one)
    found = compare(run, one.second_application or "", "FAMR", paper, "lee")
    assert "relatives.FAM_BRDT" not in found.verdicts
    assert found.outside > 0
    assert "relatives.FAM_BRDT" in compare(run, one.application or "", "FAMR", paper, "kim").verdicts


def test_p6_a_paper_sent_again_counts_once(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    paper = true_paper(run, two)
    compare(run, two.application or "", "FAMR", paper, "kim")
    before = agreement(run)
    assert compare(run, two.application or "", "FAMR", paper, "kim").reason == "already_compared"
    assert agreement(run).equals(before)


def test_counters_name_nobody_and_survive_decision_and_erasing(own_lake: SmallLake) -> None:
    run, one, two = own_lake.run, own_lake.one, own_lake.two
    for citizen in (one, two):
        compare(run, citizen.application or "", "FAMR", true_paper(run, citizen), "kim")
    before = published(run)
    assert {r["CCRNC_NOCS"] for r in before} == {2}
    assert not [name for name in gold(AGREEMENT).gold_schema.names if name.startswith("_")]
    applications.decide(run.conn, two.application or "", "approved", run.at(), {"FAMR": "data"})
    erase(run)
    assert published(run) == before
    compare(run, one.second_application or "", "FAMR", true_paper(run, one), "kim")
    assert not shadow.is_compared(run.conn, two.application or "", "FAMR"), "forgotten with the decision"


@pytest.mark.parametrize("is_counted", [True, False])
def test_p8_nothing_of_a_paper_rests_anywhere(
    own_lake: SmallLake, is_counted: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    run, two, three = own_lake.run, own_lake.two, own_lake.three
    application = (two if is_counted else three).application or ""
    paper = {name: [{"FAM_NM": MARK}] if name == "relatives" else MARK for name in true_paper(run, two)}
    compare(run, application, "FAMR", paper, "kim")
    published(run)
    tables = run.conn.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    for (table,) in tables:
        held = run.conn.execute(f'select count(*) from "{table}" as t where t::text like %s', [f"%{MARK}%"]).fetchone()
        assert held == (0,), table
    marked = MARK.encode()
    files = [p for p in Path(run.settings.home_path).rglob("*") if p.is_file()]
    assert files
    assert not [p for p in files if marked in p.read_bytes()]
    assert MARK not in json.dumps(published(run), ensure_ascii=False)
    assert MARK not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("document", "fields", "sentence"),
    [
        ("FAMR", {MARK: "1"}, "1 fields of the paper are no columns of FAMR"),
        ("FAMR", {"relatives": MARK}, "relatives of FAMR are lines"),
        ("FAMR", {"SELF_FLNM": [MARK]}, "has one value"),
        ("INSV", {}, "does not come as data"),
    ],
)
def test_fields_that_are_none_of_the_document_are_refused_without_a_value(
    own_lake: SmallLake, document: str, fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence) as refused:
        compare(own_lake.run, own_lake.two.application or "", document, fields, "kim")
    assert MARK not in str(refused.value)


@pytest.mark.parametrize(
    ("agreeing", "papers", "bound"),
    [(0, 0, 0.0), (0, 5, 0.0), (1, 1, 0.05), (3, 3, 0.368), (59, 59, 0.9505), (95, 100, 0.8977), (999, 1000, 0.9953)],
)
def test_the_bound_is_that_of_clopper_and_pearson(agreeing: int, papers: int, bound: float) -> None:
    """Where all agree it is 0.05 ** (1 / papers); the others are from published tables' formula, beta quantiles."""
    assert at_least(agreeing, papers) == pytest.approx(bound, abs=5e-4)


def test_a_report_names_no_column_of_few_papers_and_small_groups_are_suppressed_in_sql(own_lake: SmallLake) -> None:
    run, what = own_lake.run, ("SINGLE_PARENT", "mogef", "FAMR")
    for n in range(20):
        verdicts = {"SELF_FLNM": Verdict.DIFFERS if n < 6 else Verdict.AGREES, "relatives.FAM_NM": Verdict.AGREES}
        shadow.count(run.conn, f"A-{n}", what, run.at().date(), verdicts)
    for n in range(2):
        few = ("DISABILITY_PENSION", "mohw", "DISB")
        shadow.count(run.conn, f"B-{n}", few, run.at().date(), {"FLNM": Verdict.DIFFERS})
    published(run)
    found = {a.document_type: a for a in report(run, "ana")}
    assert (found["FAMR"].papers, found["FAMR"].agreeing) == (20, 14)
    assert found["FAMR"].differing == (("SELF_FLNM", 6),)
    assert 0.49 < found["FAMR"].at_least < 0.5
    assert (found["DISB"].papers, found["DISB"].differing) == (2, ())
    text = "select document_type, column_name, verdict, papers from shadow_agreement order by all"
    assert sql.query(run, text, "ana").rows == (
        ("DISB", "*", "differs", None),
        ("DISB", "FLNM", "differs", None),
        ("FAMR", "*", "agrees", 15),
        ("FAMR", "*", "differs", 5),
        ("FAMR", "SELF_FLNM", "agrees", 15),
        ("FAMR", "SELF_FLNM", "differs", 5),
        ("FAMR", "relatives.FAM_NM", "agrees", 20),
    )
