"""Two major versions of a document side by side: what contracts must say of them, when the former one is over."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from hanbeon.clock import SEOUL
from schemas.check import check
from schemas.contract import Contract, marts
from schemas.render import dbt_marts_yaml, drift, write
from schemas.table_name import TableName
from schemas.versions import ends
from tests.two_versions import LAST_DAY, copy_of, loaded, pretend, second_version

SOURCE = "source/nts__income.yaml"
FORMER, NEWEST = "published/income_certificate.yaml", "published/income_certificate_v2.yaml"
FORMER_LINES, NEWEST_LINES = "published/income_certificate__lines.yaml", "published/income_certificate_v2__lines.yaml"


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    """Income certificates twice; the second calls the earner as the terms do for everybody."""
    found = copy_of(tmp_path)
    second_version(found, "income_certificate", "nts__income", {"INERN_NM": ("FLNM", "성명")})
    return found


def of(contracts: Path, name: str) -> Contract:
    return next(c for c in loaded(contracts) if c.kind == "published" and c.name == name)


def test_two_versions_with_their_lines_agree(contracts: Path) -> None:
    assert check(loaded(contracts)) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("income_certificate", TableName("income_certificate", 1, None)),
        ("income_certificate__lines", TableName("income_certificate", 1, "lines")),
        ("income_certificate_v2", TableName("income_certificate", 2, None)),
        ("income_certificate_v12__lines", TableName("income_certificate", 12, "lines")),
        ("income_v", TableName("income_v", 1, None)),
    ],
)
def test_a_name_says_document_major_version_and_group(name: str, said: TableName) -> None:
    assert TableName.of(name) == said
    assert str(said) == name


FLAWS = [
    # file, text to replace, by what, what is found
    (FORMER, "status: deprecated", "status: active", "stands beside income_certificate_v2: it must say status"),
    (FORMER, f"'{LAST_DAY}'", "soon", "stands beside income_certificate_v2: it must say status"),
    (FORMER, f"'{LAST_DAY}'", "'2027-04-01'", "income_certificate__lines: must end on the day on which its document"),
    (FORMER, "version: 1.0.0", "version: 2.0.0", "one name for good: income_certificate_v2."),
    (NEWEST, "version: 2.0.0", "version: 1.1.0", "one name for good: income_certificate."),
    (NEWEST_LINES, "version: 2.0.0", "version: 3.0.0", "one name for good: income_certificate_v3__lines."),
    (NEWEST, "status: active", "status: deprecated", "no newer version of it is published"),
    (NEWEST, "value: INERN_NM", "value: FLNM", "consented as INERN_NM, but FLNM as FLNM"),
    (NEWEST, "value: INERN_NM", "value: FLNM", "FLNM is covered by consent to FLNM, which no column of"),
    (SOURCE, "value: INERN_NM", "value: ISSU_NO", "consented as ISSU_NO, and so is another column"),
    (SOURCE, "value: INERN_NM", "value: [INERN_NM, ISSU_NO]", "must be consented as one column of the document"),
    (SOURCE, "value: INERN_NM", "value: lines.INERN_NM", "must be consented as one column of the document"),
    (SOURCE, "value: INERN_NM", "value: EARNER", "INERN_NM is covered by consent to INERN_NM, which no column of"),
]


@pytest.mark.parametrize(("file", "old", "new", "finding"), FLAWS)
def test_one_flaw_is_found_and_named(contracts: Path, file: str, old: str, new: str, finding: str) -> None:
    text = (contracts / file).read_text(encoding="utf-8")
    assert old in text
    (contracts / file).write_text(text.replace(old, new), encoding="utf-8")
    findings = check(loaded(contracts))
    assert any(finding in f for f in findings), findings


def test_a_column_that_only_the_former_version_has_is_delivered_as_long_as_it_stands(contracts: Path) -> None:
    _without(contracts / NEWEST, "FLNM")
    _publish(contracts / SOURCE, "FLNM", "INERN_NM")
    assert check(loaded(contracts)) == []
    (contracts / FORMER).unlink()
    (contracts / FORMER_LINES).unlink()
    assert [f for f in check(loaded(contracts)) if "publishes INERN_NM, which income_certificate_v2 lacks" in f]


def test_a_former_column_may_be_made_of_several_of_today_s(contracts: Path) -> None:
    file = contracts / FORMER
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    column = next(p for p in content["schema"][0]["properties"] if p["name"] == "INERN_NM")
    column["customProperties"].append({"property": "consentedAs", "value": ["INERN_NM", "lines.BPLC_NM"]})
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    assert check(loaded(contracts)) == []
    own = next(c for c in of(contracts, "income_certificate").columns if c.name == "INERN_NM")
    assert own.paths(None) == ("INERN_NM", "lines.BPLC_NM")


def _without(file: Path, name: str) -> None:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content["schema"][0]["properties"] = [p for p in content["schema"][0]["properties"] if p["name"] != name]
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def _publish(file: Path, before: str, after: str) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace(f"value: {before}\n", f"value: {after}\n"))


END = datetime(2027, 4, 1, tzinfo=SEOUL)  # the first instant after the last day


@pytest.mark.parametrize(
    ("at", "is_over"),
    [
        (END - timedelta(days=1), False),  # the last day begins
        (END - timedelta(microseconds=1), False),
        (END, True),
        (END.astimezone(UTC), True),
        (END + timedelta(days=1), True),
        (datetime(2027, 3, 31, 14, 59, 59, tzinfo=UTC), False),  # the evening in Seoul
        (datetime(2027, 3, 31, 15, tzinfo=UTC), True),
    ],
)
def test_a_former_version_is_over_when_its_last_day_in_seoul_is(contracts: Path, at: datetime, is_over: bool) -> None:
    assert of(contracts, "income_certificate").is_over(at) is is_over
    assert of(contracts, "income_certificate_v2").is_over(at) is False


def test_p1_a_former_version_that_does_not_say_until_when_is_over_at_once(contracts: Path) -> None:
    file = contracts / FORMER
    file.write_text(file.read_text(encoding="utf-8").replace(LAST_DAY, "soon"), encoding="utf-8")
    assert of(contracts, "income_certificate").is_over(datetime(2026, 1, 1, tzinfo=UTC))


def test_that_it_ends_is_said_thirty_days_before_and_that_it_may_go_afterwards(contracts: Path) -> None:
    def said(at: datetime) -> list[str]:
        return [s for s in ends(loaded(contracts), at) if s.startswith("income_certificate ")]

    last = END - timedelta(hours=1)
    assert said(last - timedelta(days=31)) == []
    (soon,) = said(last - timedelta(days=30))
    assert "published until 2027-03-31, 30 days more" in soon
    (today,) = said(last)
    assert "0 days more" in today
    (over,) = said(END)
    assert "over since 2027-04-01" in over
    assert "may be removed" in over


def test_dbt_knows_both_as_versions_of_one_model(
    contracts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, loaded(contracts))
    models = {m["name"]: m for m in yaml.safe_load(dbt_marts_yaml())["models"]}
    assert [m for m in models if m.startswith("income")] == ["income_certificate", "income_certificate__lines"]
    for name in ("income_certificate", "income_certificate__lines"):
        model = models[name]
        assert (model["latest_version"], model["config"]) == (2, {"contract": {"enforced": True}})
        assert [(v["v"], v.get("deprecation_date")) for v in model["versions"]] == [(1, LAST_DAY), (2, None)]
        assert all(v["defined_in"] == v["config"]["alias"] for v in model["versions"])
    lines = models["income_certificate__lines"]["versions"]
    tests = [next(c for c in v["columns"] if c["name"] == "_evidence_id")["data_tests"] for v in lines]
    assert [t[0]["relationships"]["arguments"]["to"] for t in tests] == [
        "ref('income_certificate', v=1)",
        "ref('income_certificate', v=2)",
    ]
    assert {c.name for c in marts()} >= {"income_certificate_v2", "income_certificate__lines"}
    write(tmp_path)
    assert drift(tmp_path) == []
    file = tmp_path / "models" / "marts" / "_contracts.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("- name: FLNM\n", "- name: FLNMS\n"), encoding="utf-8")
    assert any("income_certificate_v2.FLNM is in the contracts only" in f for f in drift(tmp_path))
