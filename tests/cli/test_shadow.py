"""`hanbeon shadow`: what a recipient that digitises its papers types."""

import json
from pathlib import Path

import pytest

from pipeline.agreement import AGREEMENT, agreement_compute
from pipeline.commit import Plan, commit
from pipeline.run import Run
from schemas.contract import gold
from tests.cli.conftest import Hanbeon
from tests.small_lake import SmallLake

MARK = "심어둔글자"


def published(run: Run) -> None:
    schema = gold(AGREEMENT).gold_schema
    commit(run, [Plan(f"gold/{AGREEMENT}", schema, agreement_compute(run), partitioned=False)], {})


def paper(application: str | None, name: str) -> str:
    return json.dumps({"application": application, "document": "FAMR", "fields": {"SELF_FLNM": name}})


def test_a_batch_counts_each_paper_once_and_says_by_line_what_it_left(
    hanbeon: Hanbeon, own_lake: SmallLake, tmp_path: Path
) -> None:
    one, two, three = own_lake.one, own_lake.two, own_lake.three
    batch = tmp_path / "papers.jsonl"
    lines = [paper(one.application, one.name), "", paper(two.application, MARK), paper(three.application, MARK)]
    batch.write_text("\n".join(lines), encoding="utf-8")

    said = hanbeon("shadow", "import", str(batch), "--json")
    left = [{"line": 4, "document_type": "FAMR", "reason": "no_authorisation"}]
    assert (said.code, json.loads(said.out)) == (1, {"papers": 3, "compared": 2, "not_compared": left})

    batch.write_text("\n".join(lines[:3]), encoding="utf-8")
    again = hanbeon("shadow", "import", str(batch))
    assert again.code == 0, "what was compared before needs nothing more"
    assert "0 of 2 papers" in again.out

    assert "No paper was compared and published yet" in hanbeon("shadow", "report").out
    published(own_lake.run)
    (row,) = json.loads(hanbeon("shadow", "report", "--recipient", "mogef", "--json").out)
    assert (row["papers"], row["agreeing"], row["share"], row["differing"]) == (2, 1, 0.5, [])
    assert json.loads(hanbeon("shadow", "report", "--recipient", "mohw", "--json").out) == []
    assert MARK not in said.out + said.err + again.out + again.err


def test_one_paper_shows_verdicts_and_no_value(hanbeon: Hanbeon, own_lake: SmallLake, tmp_path: Path) -> None:
    fields = tmp_path / "fields.json"
    fields.write_text(json.dumps({"SELF_FLNM": MARK}), encoding="utf-8")
    said = hanbeon("shadow", "compare", own_lake.two.application or "", "FAMR", "--fields", str(fields))
    assert said.code == 0
    assert "SELF_FLNM" in said.out
    assert "differs" in said.out
    assert MARK not in said.out + said.err
    assert own_lake.two.name not in said.out
    twice = hanbeon("shadow", "compare", own_lake.two.application or "", "FAMR", "--fields", str(fields))
    assert twice.code == 1
    assert "이미 비교한 서류입니다" in twice.out


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (f'{{"{MARK}": 1', "Line 1 must be one JSON object"),
        (json.dumps([MARK]), "Line 1 must be one JSON object"),
        (json.dumps({"application": MARK}), "Line 1 must have just application, document and fields"),
        (json.dumps({"application": 1, "document": "FAMR", "fields": {}}), "application and document are texts"),
        (json.dumps({"application": "A", "document": "FAMR", "fields": {MARK: 1}}), "Line 1: 1 fields of the paper"),
        (json.dumps({"application": "A", "document": MARK, "fields": {}}), "does not come as data"),
    ],
)
def test_a_line_that_is_no_paper_is_refused_before_anything_is_compared(
    bare: Hanbeon, tmp_path: Path, line: str, sentence: str
) -> None:
    batch = tmp_path / "papers.jsonl"
    batch.write_text(line, encoding="utf-8")
    said = bare("shadow", "import", str(batch))
    assert said.code == 2
    assert sentence in said.err
    assert MARK not in said.err


def test_a_file_that_is_not_there_is_said_in_a_sentence(bare: Hanbeon) -> None:
    said = bare("shadow", "import", "nothing.jsonl")
    assert (said.code, said.err) == (2, "The file of papers cannot be read. Check its name and rights.\n")
