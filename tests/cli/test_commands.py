"""The commands at work: help by group of user, listings as JSON, a citizen's and a case worker's day."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from consent import ledger, vault
from hanbeon.settings import PROJECT
from tests.cli.conftest import Hanbeon
from tests.consent.making import manifest_of
from tests.small_lake import ONE, SmallLake

HEAVY = {
    "duckdb",
    "pyarrow",
    "deltalake",
    "psycopg",
    "great_expectations",
    "dbt",
    "airflow",
    "polars",
    "pandas",
    "yaml",
}
NEW = "8821251234563"  # month + 20


def test_help_lists_the_groups_of_users(bare: Hanbeon) -> None:
    said = bare("--help")

    assert said.code == 0
    for group in ("Data engineers", "Case workers and citizens", "Analysts", "Auditors"):
        assert group in said.out
    for command in ("world", "approval", "application", "consent", "pull", "publish", "erase", "recover", "run", "up",
                    "trace", "sql", "sources", "contracts", "doctor"):  # fmt: skip
        assert command in said.out


def test_help_needs_no_heavy_library() -> None:
    code = f"import sys, hanbeon.cli; print(sorted({HEAVY!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_the_module_can_be_run() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "hanbeon", "nope"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 2
    assert "hanbeon --help" in said.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["application", "list"],
        ["approval", "list"],
        ["consent", "list"],
        ["consent", "list", "--state", "granted", "--service", "SINGLE_PARENT", "--limit", "1"],
        ["contracts", "list"],
        ["sources"],
        ["sql"],
        ["sql", "select * from bundles"],
        ["sql", "select * from verdicts"],
    ],
    ids=" ".join,
)
def test_every_listing_speaks_json_and_to_people(hanbeon: Hanbeon, arguments: list[str]) -> None:
    rows = json.loads(hanbeon(*arguments, "--json").out)

    assert rows
    assert isinstance(rows, list)
    assert all(set(row) == set(rows[0]) for row in rows)
    assert not any(key.startswith("_") or "key" in key for key in rows[0])
    said = hanbeon(*arguments)
    assert (said.code, said.err) == (0, "")
    assert said.out.strip()


@pytest.mark.usefixtures("provider")
def test_a_citizens_day(hanbeon: Hanbeon, own_lake: SmallLake, tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text(f"{NEW[:6]}-{NEW[6:]}\n", encoding="utf-8")

    opened = json.loads(
        hanbeon("application", "open", "--service", "SINGLE_PARENT", "--identifier-file", str(numbers), "--json").out
    )
    application = opened[0]["application_id"]
    granted = json.loads(hanbeon("consent", "grant", "--application", application, "--json").out)
    consent = granted[0]["authorisation_id"]
    assert granted[0]["documents"] == ["FAMR", "RRT", "INCM"]

    assert "성평등가족부" in hanbeon("consent", "show", consent).out
    assert hanbeon("consent", "pause", consent).code == 0
    assert "paused" in hanbeon("consent", "show", consent).out
    assert hanbeon("consent", "resume", consent).code == 0
    assert hanbeon("consent", "withdraw", consent).code == 0
    assert hanbeon("consent", "withdraw", consent).code == 0  # F40: twice
    assert hanbeon("consent", "resume", consent).code == 2
    own = json.loads(hanbeon("consent", "list", "--identifier-file", str(numbers), "--json").out)
    assert [(r["authorisation_id"], r["state"]) for r in own] == [(consent, "withdrawn")]
    events = [e.kind for e in ledger.history(own_lake.run.conn, consent)]
    assert events == ["granted", "paused", "resumed", "withdrawn"]


@pytest.mark.usefixtures("provider")
def test_one_command_opens_applications_and_grants_for_many(
    hanbeon: Hanbeon, own_lake: SmallLake, tmp_path: Path
) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text(f"{NEW}\n{ONE}\n", encoding="utf-8")

    arguments = [
        "consent",
        "grant",
        "--service",
        "SINGLE_PARENT",
        "--identifier-file",
        str(numbers),
        "--document",
        "INCM",
    ]
    rows = json.loads(hanbeon(*arguments, "--json").out)

    assert len({r["application_id"] for r in rows}) == len({r["authorisation_id"] for r in rows}) == 2
    assert all(r["documents"] == ["INCM"] for r in rows)
    run = own_lake.run
    keys = vault.find(run.conn, run.secrets, "RRN", [NEW, ONE]).to_pylist()
    found = [ledger.authorisations(run.conn, authorisation_id=r["authorisation_id"]).to_pylist()[0] for r in rows]
    assert [f["_subject_key"] for f in found] == keys
    assert all(f["notice_hash"] and f["_grantor_key"] == f["_subject_key"] for f in found)


def test_a_case_workers_day(hanbeon: Hanbeon, own_lake: SmallLake) -> None:
    application = own_lake.one.application or ""

    shown = hanbeon("application", "show", application, "--reader", "김주무관")
    assert own_lake.one.name in shown.out
    assert "가족관계증명서" in shown.out
    as_json = json.loads(hanbeon("application", "show", application, "--json").out)
    assert as_json["documents"][0]["copies"][0]["values"][3]["value"] == own_lake.one.name
    assert str(own_lake.one.key) not in shown.out + json.dumps(as_json)
    then = hanbeon("application", "show", application, "--as-of", "2026-01-01").out
    assert own_lake.one.name not in then
    assert "2026-01-01 00:00:00 KST" in then
    assert "그때의 상태로 남아 있는 자료가 없습니다" in " ".join(then.split())
    assert hanbeon("application", "paper", application, "RRT").code == 0
    assert hanbeon("application", "paper", application, "DISB").code == 2

    decided = json.loads(hanbeon("application", "decide", application, "approved", "--json").out)

    assert decided["satisfied_by"] == {"FAMR": "data", "RRT": "paper"}
    assert "이미 결정된 신청" in hanbeon("application", "show", application).out
    assert hanbeon("application", "decide", application, "approved").code == 0
    assert hanbeon("application", "decide", application, "refused").code == 2


def test_an_agreements_life(hanbeon: Hanbeon) -> None:
    again = json.loads(hanbeon("approval", "grant", "--service", "SINGLE_PARENT", "--json").out)
    assert [a["is_new"] for a in again] == [False, False, False]
    approval = again[0]["approval_id"]
    for verb, code in (("suspend", 0), ("suspend", 0), ("resume", 0), ("end", 0), ("resume", 2)):
        assert hanbeon("approval", verb, approval).code == code
    anew = json.loads(hanbeon("approval", "grant", "--service", "SINGLE_PARENT", "--json").out)
    assert [a["is_new"] for a in anew] == [True, False, False]


def test_an_auditors_walk(hanbeon: Hanbeon, own_lake: SmallLake) -> None:
    consent = own_lake.one.consent or ""
    forward = json.loads(hanbeon("trace", "authorisation", consent, "--json").out)
    row = next(r for r in forward["rows"] if r["table"] == "shares/mogef/family_relation_certificate")

    back = hanbeon("trace", "row", row["table"], row["evidence_id"], "--reader", "감사관")

    assert back.code == 0
    for word in (consent, "근거", "원천 기록", "품질 판정", "승인", "동의함", "감사관"):
        assert word in back.out
    assert own_lake.one.name not in back.out
    as_json = json.loads(hanbeon("trace", "row", row["table"], row["evidence_id"], "--json").out)
    assert [s["table"].split("/")[0] for s in as_json["standings"]] == ["shares", "gold", "bronze"]
    walked = hanbeon("trace", "application", own_lake.one.application or "")
    assert consent in walked.out


def test_an_import_with_bad_rows_says_which_and_exits_1(hanbeon: Hanbeon, own_lake: SmallLake, tmp_path: Path) -> None:
    file = tmp_path / "many.csv"
    header = "external_id,service,identifier_kind,subject_identifier,valid_from,valid_until,salt\n"
    rest = f"2026-01-01,2030-01-01,{'5a' * 32}\n"
    rows = f"x1,HOUSING_SUBSCRIPTION,RRN,{NEW},{rest}x2,NOPE,RRN,{ONE},{rest}"
    file.write_text(header + rows, encoding="utf-8")
    (tmp_path / "many.csv.jws").write_text(manifest_of(own_lake.run.settings.home_path, file), encoding="ascii")

    said = hanbeon("consent", "import", str(file), "--manifest", f"{file}.jws")

    assert said.code == 1
    assert "1 granted" in said.out
    assert "row 2" in said.out
    assert ONE not in said.out


def test_values_that_a_terminal_would_obey_are_shown_harmless_f26(hanbeon: Hanbeon, own_lake: SmallLake) -> None:
    shown = hanbeon("application", "show", own_lake.one.application or "", "--reader", "\x1b[31m[bold]kim\u202e")

    assert shown.code == 0
    assert "\x1b" not in shown.out
    assert "\u202e" not in shown.out
    assert "[bold]kim" in shown.out


def test_doctor_finds_an_edited_file_f8(hanbeon: Hanbeon, own_lake: SmallLake) -> None:
    gold = own_lake.run.settings.lake_root / "gold" / "family_relation_certificate"
    file = next(gold.rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-1] + b"\x00")

    said = hanbeon("doctor", "--json")

    assert said.code == 1
    wrong = [r["detail"] for r in json.loads(said.out) if r["check"] == "lake"]
    assert any("is not what its leaf says" in detail for detail in wrong)


def test_contracts_agree_and_nothing_is_left_to_render(bare: Hanbeon) -> None:
    assert bare("contracts", "check").code == 0
    assert bare("contracts", "render", "--dry-run").code == 0
