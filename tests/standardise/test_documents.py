"""Bronze in the holders' words becomes gold in official ones."""

import re

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml

from pipeline.standardise import FOLDER
from schemas.column import Column
from schemas.contract import PIPELINE_FIELDS, Contract, marts, published, source, sources
from schemas.contract import gold as published_contract
from tests.standardise.conftest import HOSTILE

DOCUMENTS = [c for c in sources() if c.document_type != "HINQ"]


def rows_of(table: pa.Table, evidence_id: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = table.filter(pc.equal(table.column("_evidence_id"), evidence_id)).to_pylist()
    return rows


def standard_example(table: str, column: Column) -> object:
    """The holder's good example, or, where a rule standardises it, the published contract's."""
    if not column.standardised:
        return column.good_example
    return next(c.good_example for c in published_contract(table).columns if c.name == column.publishes)


def test_every_published_contract_comes_out_with_exactly_its_schema(gold: dict[str, pa.Table]) -> None:
    assert {name: table.schema for name, table in gold.items()} == {c.name: c.gold_schema for c in marts()}


@pytest.mark.parametrize("contract", DOCUMENTS, ids=lambda c: c.document_type)
def test_a_good_record_keeps_its_values_under_official_names(contract: Contract, gold: dict[str, pa.Table]) -> None:
    [row] = rows_of(gold[contract.published], contract.document_type.lower())
    for column in contract.content:
        assert str(row[str(column.publishes)]) == str(standard_example(contract.published, column)), column.name
    assert row["_authorisation_id"] == f"auth-{contract.document_type.lower()}"


@pytest.mark.parametrize(
    ("contract", "group"), [(c, g.name) for c in DOCUMENTS for g in c.groups], ids=lambda v: getattr(v, "name", v)
)
def test_a_good_line_keeps_its_values_and_its_document(
    contract: Contract, group: str, gold: dict[str, pa.Table]
) -> None:
    [parent] = rows_of(gold[contract.published], contract.document_type.lower())
    [line] = rows_of(gold[f"{contract.published}__{group}"], contract.document_type.lower())
    [described] = [g for g in contract.groups if g.name == group]
    table = f"{contract.published}__{group}"
    for column in described.content:
        assert str(line[str(column.publishes)]) == str(standard_example(table, column)), column.name
    assert {f.name: line[f.name] for f in PIPELINE_FIELDS} == {f.name: parent[f.name] for f in PIPELINE_FIELDS}
    assert line["_person_key"] == (-1 if described.person else None)


def test_f24_every_state_of_a_record_comes_out_with_its_interval_and_its_lines(gold: dict[str, pa.Table]) -> None:
    for table in ("household_extract", "household_extract__members"):
        [former] = rows_of(gold[table], "former")
        [present] = rows_of(gold[table], "present")
        assert (former["_valid_to"], present["_valid_to"]) == (present["_observed_at"], None)


def test_a_dataset_without_rows_gives_empty_tables_and_no_row_of_nulls(gold: dict[str, pa.Table]) -> None:
    names = ["health_insurance_history", "health_insurance_history__history", "health_insurance_history__dependants"]
    assert [gold[name].num_rows for name in names] == [0, 0, 0]


def test_blanks_and_words_for_nothing_become_null_and_padding_goes(gold: dict[str, pa.Table]) -> None:
    [blank] = rows_of(gold["household_extract"], "blank")
    assert (blank["HSHLDR_NM"], blank["DONG_CD"], blank["ZIP"]) == (None, None, None)
    [padded] = rows_of(gold["household_extract"], "padded")
    assert padded["HSHLDR_NM"] == "김하나"


def test_amounts_that_a_court_sends_as_text_become_whole_numbers(gold: dict[str, pa.Table]) -> None:
    [row] = rows_of(gold["corporate_registration"], "no-amounts")
    assert (row["CPTL"], row["PBLCN_STCK_CNT"], row["SHR_PAR_AMT"]) == (None, 12, None)


def test_f26_a_name_that_carries_sql_and_jinja_is_a_name(gold: dict[str, pa.Table]) -> None:
    [row] = rows_of(gold["household_extract"], "hostile")
    assert row["HSHLDR_NM"] == HOSTILE


def test_third_persons_are_keys_on_lines_of_their_own(gold: dict[str, pa.Table]) -> None:
    lines = rows_of(gold["household_extract__members"], "lines")
    assert [(line["_line_no"], line["_person_key"]) for line in lines] == [(1, 4), (2, 41), (3, None)]


def test_columns_that_are_not_covered_stay_null_and_a_group_that_is_not_covered_has_no_line(
    gold: dict[str, pa.Table],
) -> None:
    [row] = rows_of(gold["household_extract"], "uncovered-group")
    assert (row["ROAD_NM_ADDR"], row["STDG_CD"]) == (None, "1111010100")
    assert rows_of(gold["household_extract__members"], "uncovered-group") == []


def test_p1_a_tombstone_never_comes_out_nor_a_row_that_does_not_say_whether_it_is_one(
    gold: dict[str, pa.Table],
) -> None:
    assert rows_of(gold["household_extract"], "deleted") == rows_of(gold["household_extract"], "unsaid") == []
    assert rows_of(gold["household_extract__members"], "deleted") == []


def test_p2_who_asked_for_the_head_alone_sees_no_other_person(gold: dict[str, pa.Table]) -> None:
    assert len(rows_of(gold["household_extract"], "head-only")) == 1
    assert rows_of(gold["household_extract__members"], "head-only") == []


def test_every_model_is_described_and_says_its_grain() -> None:
    files = [yaml.safe_load(p.read_text(encoding="utf-8")) for p in FOLDER.glob("models/**/*.yml")]
    described = {model["name"]: model["description"] for file in files for model in file.get("models", ())}
    assert described.keys() == {p.stem for p in FOLDER.glob("models/**/*.sql")}
    assert [name for name, text in described.items() if not re.search(r"One row per [^.]+\.$", text.strip())] == []


def test_p10_no_published_column_is_a_unique_identifier() -> None:
    identifiers = {c.publishes for s in sources() for c in s.columns if c.is_identifier and c.publishes}
    assert source("RRT").subject_column.classification == "unique_id"
    for contract in published():
        assert not identifiers & set(contract.gold_schema.names)
        assert not [c.name for c in contract.columns if c.classification == "unique_id"]
