"""`schemas.check` finds what does not agree, and finds nothing in the project's own contracts."""

import shutil
from pathlib import Path

import pytest

from schemas.check import check
from schemas.contract import FOLDER, gold, load_all, published, source
from schemas.terms import terms


def test_the_project_s_contracts_agree_with_terms_codes_and_services() -> None:
    assert check() == []


def test_p11_every_term_is_used_and_says_whence_it_comes() -> None:
    used = {c.name for table in published() for c in table.columns}
    assert set(terms()) == used
    assert all(t.edition for t in terms().values() if t.status == "term7")


FLAWS = [
    # file, text to replace, by what, what is found
    ("published/household_extract.yaml", "name: STDG_CD", "name: STDG_CODE", "STDG_CODE is not in schemas/terms.tsv"),
    (
        "published/household_extract.yaml",
        "name: STDG_CD",
        "name: STDG_CODE",
        "publishes STDG_CD, which household_extract",
    ),
    (
        "published/household_extract.yaml",
        "name: STDG_CD",
        "name: STDG_CODE",
        "household_extract has STDG_CODE, which no",
    ),
    ("published/household_extract.yaml", "value: 명V100", "value: 명V200", "HSHLDR_NM is 세대주명 명V200"),
    ("published/household_extract.yaml", "maxLength: 100", "maxLength: 101", "must be text of at most 100"),
    ("published/household_extract.yaml", "- '1111010100'", "- '9999999998'", "rejects its good example"),
    ("published/household_extract.yaml", "value: '9999999999'", "value: '1111010200'", "accepts its bad example"),
    ("published/household_extract.yaml", "value: stdg", "value: stdgs", "code list stdgs, which does not exist"),
    (
        "published/income_certificate__lines.yaml",
        "maximum: 999999999999999\n",
        "maximum: 9999999999999990\n",
        "at most 15",
    ),
    (
        "source/mois__resident_register.yaml",
        "value: FMBR_NM",
        "value: FLNM",
        "publishes FLNM, which",
    ),
    ("source/mois__resident_register.yaml", "\n  - head_only\n", "\n", "members names the unknown variant head_only"),
    ("source/mois__resident_register.yaml", "  - members_included\n", "", "variant members_included is none of"),
    ("source/mois__resident_register.yaml", "    recordIdColumn: extract_no\n", "", "delivery lacks recordIdColumn"),
    (
        "source/mois__resident_register.yaml",
        "        parentColumn: extract_no\n",
        "",
        "delivery of members lacks parent",
    ),
    (
        "published/land_ledger.yaml",
        "공간정보관리법 제71조",
        "공간정보관리법 제72조",
        "stdg_cd and land_ledger.STDG_CD name two sources of one field (definedBy)",
    ),
    (
        "published/land_ledger.yaml",
        "공간정보관리법 제71조",
        "지적법 제71조",
        "cites 지적법 (definedBy), which schemas/cited.tsv does not have: read it, add its line",
    ),
    (
        "published/land_ledger__owners.yaml",
        "공간정보관리법 제71조",
        "부동산등기법 제48조",
        "ownr_nm and land_ledger__owners.OWNR_NM name two sources of one field (definedBy)",
    ),
    ("source/mohw__disability.yaml", "form: rest", "form: fax", "delivery form fax is unknown"),
    ("source/scourt__family_register.yaml", "property: xpath", "property: xpaths", "lacks xpath"),
    ("source/mois__resident_register.yaml", "value: flag", "value: never", "deletes must be flag or absence"),
    ("source/mois__resident_register.yaml", "value: 0.05", "value: 1.05", "must lie between 0 and 1"),
    (
        "source/mois__resident_register.yaml",
        "description: Name of the householder.",
        "description: ''",
        "no description",
    ),
    (
        "source/mois__resident_register.yaml",
        "apiVersion: v3.1.0",
        "apiVersion: v9",
        "breaks the Open Data Contract Standard",
    ),
    (
        "source/mohw__disability.yaml",
        "  value: DISB",
        "  value: DISX",
        "document type DISX is not in schemas/documents",
    ),
    ("source/mohw__disability.yaml", "  value: DISB", "  value: INSV", "no law lets INSV flow"),
    ("source/mois__resident_register.yaml", "version: 2.0.0", "version: '1'", "is not of the form 1.2.3"),
    ("published/household_extract.yaml", "physicalType: varchar", "physicalType: text", "must be stored as varchar"),
    ("published/income_certificate__lines.yaml", "physicalType: bigint", "physicalType: double", "stored as bigint"),
    ("published/income_certificate__lines.yaml", "logicalType: integer", "logicalType: number", "at most 15 digits"),
    ("published/household_extract.yaml", "value: 명V100", "value: 명V123", "명V123, which schemas/domains.tsv lacks"),
    (
        "published/household_extract__members.yaml",
        "  value: true",
        "  value: false",
        "must say hasPersonKey",
    ),
    ("published/household_extract__members.yaml", "name: household_extract__members", "name: x__y", "makes this table"),
    ("published/household_extract.yaml", "General knowledge of", "Rumours of", "is defined by what is neither statute"),
]


@pytest.mark.parametrize(("file", "old", "new", "finding"), FLAWS)
def test_one_flaw_is_found_and_named(tmp_path: Path, file: str, old: str, new: str, finding: str) -> None:
    folder = tmp_path / "contracts"
    shutil.copytree(FOLDER, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    findings = check(load_all(folder))
    assert any(finding in f for f in findings), findings


def test_a_text_that_no_contract_cites_is_found() -> None:
    without = [c for c in load_all() if c.properties.get("documentType") != "DRVL"]
    assert "schemas/cited.tsv: no contract cites 도로교통법: remove its line." in check(without)


def test_two_contracts_with_one_id_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    shutil.copytree(FOLDER, folder)
    copy = folder / "published" / "copy.yaml"
    shutil.copy(folder / "published" / "household_extract.yaml", copy)
    assert any("2 contracts have this id" in f for f in check(load_all(folder)))


def test_two_tables_with_one_name_are_found_but_a_dataset_may_be_called_as_its_table(tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    shutil.copytree(FOLDER, folder)
    assert (gold("driving_record").name, source("DRVL").name) == ("driving_record", "driving_record")
    text = (folder / "published" / "driving_record.yaml").read_text(encoding="utf-8")
    copy = folder / "published" / "copy.yaml"
    copy.write_text(text.replace("id: urn:hanbeon:published:driving_record", "id: urn:hanbeon:x"), encoding="utf-8")
    assert [f for f in check(load_all(folder)) if "have this" in f] == [
        "driving_record: 2 published contracts have this name."
    ]


def test_overlapping_bytes_of_a_fixed_width_file_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    shutil.copytree(FOLDER, folder)
    file = folder / "source" / "nhis__eligibility.yaml"
    text = file.read_text(encoding="utf-8")
    assert "- 55\n" in text
    file.write_text(text.replace("- 55\n", "- 54\n"), encoding="utf-8")
    assert any("overlap" in f for f in check(load_all(folder)))
