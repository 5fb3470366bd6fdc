"""The rule that a contract names is the one that its staging model applies."""

import re
from dataclasses import replace

import pytest
import yaml

from pipeline.standardise import FOLDER
from schemas.check import check
from schemas.codes import entries
from schemas.column import Column
from schemas.contract import Contract, gold, load_all, source, sources
from schemas.standard import RULES, call, official

_SELECTED = re.compile(r"^ *(?P<value>.+?)(?: as (?P<name>\w+))?,$", re.MULTILINE)


def selected(model: str) -> dict[str, str]:
    """What the last select of a staging model says of each official column."""
    [path] = FOLDER.glob(f"models/staging/*/{model}.sql")
    last = path.read_text(encoding="utf-8").rpartition("select\n")[2]
    return {m["name"] or m["value"]: m["value"] for m in _SELECTED.finditer(last)}


def models() -> list[tuple[str, tuple[Column, ...]]]:
    own = [(f"stg_{c.slug}", c.content) for c in sources()]
    return own + [(f"stg_{c.slug}__{g.name}", g.content) for c in sources() for g in c.groups]


@pytest.mark.parametrize(("model", "columns"), models(), ids=lambda v: v if isinstance(v, str) else "")
def test_a_staging_model_applies_to_each_column_what_its_contract_names(
    model: str, columns: tuple[Column, ...]
) -> None:
    said = selected(model)
    assert {official(c): said.get(official(c)) for c in columns} == {official(c): call(c) for c in columns}


def test_every_rule_is_used_by_a_contract_and_has_a_macro() -> None:
    used = {c.standardised["by"] for s in sources() for c in (*s.content, *(c for g in s.groups for c in g.content))
            if c.standardised}  # fmt: skip
    assert used == set(RULES)
    macros = "".join(p.read_text(encoding="utf-8") for p in FOLDER.glob("macros/*.sql"))
    assert [by for by in RULES if f"macro {by}(" not in macros] == []


def findings(contract: Contract, name: str, **standardised: object) -> list[str]:
    columns = tuple(replace(c, standardised=standardised) if c.name == name else c for c in contract.columns)
    given = [replace(contract, columns=columns) if c.id == contract.id else c for c in load_all()]
    return [f.partition(": ")[2] for f in check(given)]


@pytest.mark.parametrize(
    ("standardised", "finding"),
    [
        ({"by": "guess"}, "is standardised by guess, which is no rule"),
        ({"by": "region"}, "lacks asOf, which rule region needs."),
        ({"by": "region", "asOf": "BRTH_YMD"}, "needs BRTH_YMD for rule region, which stands in no column beside it."),
        ({"by": "region", "asOf": "ZIP"}, "is standardised as of ZIP, which is no day that is delivered as YYYYMMDD."),
        ({"by": "region", "asOf": "ISSU_YMD", "unit": "won"}, "says unit, which rule region does not know."),
    ],
)
def test_a_rule_that_cannot_be_is_a_finding(standardised: dict[str, str], finding: str) -> None:
    found = findings(source("RRT"), "stdg_cd", **standardised)
    assert [f.startswith(f"stdg_cd {finding}") for f in found if f.startswith("stdg_cd")] == [True]


def test_a_region_without_a_list_of_regions_is_a_finding() -> None:
    [found] = findings(source("RRT"), "zip", by="region", asOf="ISSU_YMD")
    assert found == "zip is standardised as a region, but its code list is none of hdong, stdg."


def test_yes_and_no_without_their_words_are_a_finding() -> None:
    [found] = findings(source("RRT"), "zip", by="yes_no")
    assert found == "zip is standardised as yes or no, but its code list is not yn_written."


def test_the_words_for_yes_and_no_are_those_of_the_code_list() -> None:
    """The gate lets the list's codes through; a model that did not know one would stop the run."""
    variables = yaml.safe_load((FOLDER / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    known = {name: {e.code for e in entries("yn_written") if e.name_ko == name} for name in ("여", "부")}
    assert known == {"여": set(variables["yes_words"]), "부": set(variables["no_words"])}


def test_an_amount_in_thousands_fits_where_it_is_published() -> None:
    """Else a value that passes the holder's contract would break the published one."""
    for contract in sources():
        frames = [(contract.published, contract.content)]
        frames += [(f"{contract.published}__{g.name}", g.content) for g in contract.groups]
        for table, columns in frames:
            limits = {c.name: c.maximum for c in gold(table).columns}
            for column in columns:
                if column.standardised.get("unit") == "thousand_won":
                    assert (column.maximum or 0) * 1_000 <= (limits[official(column)] or 0), column.name


def test_an_amount_without_its_unit_is_a_finding() -> None:
    [found] = findings(source("CORR"), "cptl", by="amount")
    assert found == "cptl must say unit as one of won, thousand_won."


def test_a_service_that_takes_a_code_without_its_day_is_a_finding() -> None:
    """PARENTAL_ALLOWANCE and others take STDG_CD and not HH_CMPS_RSN_CD; were it the day, they would lack it."""
    contract = source("RRT")
    columns = tuple(
        replace(c, standardised={"by": "region", "asOf": "DONG_CD"}) if c.name == "stdg_cd" else c
        for c in contract.columns
    )
    given = [replace(contract, columns=columns) if c.id == contract.id else c for c in load_all()]
    found = [f for f in check(given) if "needs DONG_CD too" in f]
    assert found
    assert all(f.endswith("needs DONG_CD too: STDG_CD means what it meant on that day.") for f in found)
