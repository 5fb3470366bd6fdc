"""Contracts generate, tests compare: what is committed equals what the contracts say, in both directions."""

from pathlib import Path

import yaml

from schemas.contract import marts, published, sources
from schemas.render import MARTS_FILE, dbt_marts_yaml, dbt_sources_yaml, dictionary, drift, write


def test_committed_dbt_yaml_equals_the_contracts() -> None:
    assert drift() == []


def test_drift_is_named_in_both_directions(tmp_path: Path) -> None:
    write(tmp_path)
    assert drift(tmp_path) == []
    file = tmp_path / MARTS_FILE
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    columns = content["models"][0]["columns"]
    first, second = columns[0]["name"], columns[1]
    columns[0]["name"] = "renamed"
    second["data_type"] = "date"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    model = content["models"][0]["name"]
    assert drift(tmp_path) == [
        f"{MARTS_FILE}: {model}.{first} is in the contracts only",
        f"{MARTS_FILE}: {model}.renamed is in the file only",
        f"{MARTS_FILE}: {model}.{second['name']} differs",
    ]


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    assert len(write(tmp_path)) == 2
    assert write(tmp_path) == []


def test_every_mart_has_the_columns_and_types_of_its_contract() -> None:
    models = {m["name"]: m for m in yaml.safe_load(dbt_marts_yaml())["models"]}
    assert set(models) == {c.name for c in marts()}
    for contract in marts():
        assert [c["name"] for c in models[contract.name]["columns"]] == contract.gold_schema.names
        assert models[contract.name]["config"]["contract"]["enforced"] is True


def test_every_dataset_is_a_source_with_its_groups_as_lists() -> None:
    tables = {t["name"]: t for t in yaml.safe_load(dbt_sources_yaml())["sources"][0]["tables"]}
    assert set(tables) == {c.slug for c in sources()}
    members = next(c for c in tables["mois__resident_register"]["columns"] if c["name"] == "members")
    assert members["data_type"].startswith("struct(_line_no integer, _person_key bigint, mbr_nm varchar")
    assert members["data_type"].endswith(")[]")


def test_the_dictionary_names_every_published_column_in_both_languages() -> None:
    for language in ("ko", "en"):
        text = dictionary(language)
        for contract in published():
            assert f"## {contract.name}\n" in text
            assert all(f"| {c.name} | {c.korean} |" in text for c in contract.columns)
