"""A citizen's signature from the notice to the ledger, by the commands, on a world whose servers are up."""

import json
from pathlib import Path

import psycopg
import pytest

from consent import evidence, ledger, vault
from consent.history import history
from hanbeon.clock import now
from sources.simulate import identity, world
from sources.simulate.serve import serve
from sources.simulate.truth import truth
from tests.cli.conftest import Hanbeon
from tests.small_lake import ONE, SmallLake


def test_a_consent_is_granted_with_a_token_of_the_running_identity_provider(
    bare: Hanbeon, ledger_dsn_for_test: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HANBEON_HOME__PATH", str(home))
    monkeypatch.setenv("HANBEON_LEDGER__DSN", ledger_dsn_for_test)
    world.build(home, 60, 1)
    (tmp_path / "one.txt").write_text(str(truth(home, "RRT")["household_extract"]["identifier"][0]))
    arguments = (
        "consent",
        "grant",
        "--service",
        "HOUSING_SUBSCRIPTION",
        "--identifier-file",
        str(tmp_path / "one.txt"),
    )
    with serve(home):
        said = bare(*arguments)
        assert (said.code, said.err) == (0, "")
        assert "모의 본인확인기관" in said.out
    refused = bare(*arguments)
    assert refused.code == 3
    assert "--token-file" in refused.err
    with psycopg.connect(ledger_dsn_for_test, autocommit=True) as conn:
        (key,) = {r["authorisation_id"] for r in ledger.authorisations(conn).to_pylist()}
        found = evidence.open_evidence(conn, vault.secrets(home / "keys"), key)
    assert found is not None
    assert found["kind"] == "authentication"


def test_the_notice_is_shown_signed_elsewhere_and_its_token_given_in_a_file(
    hanbeon: Hanbeon, own_lake: SmallLake, tmp_path: Path
) -> None:
    grounds = ("--ground", "collection", "--ground", "provision")
    terms = ("--service", "DISABILITY_PENSION", "--until", "2100-01-01", *grounds)
    text = hanbeon("consent", "notice", *terms).out
    assert "민감정보" in text
    assert "not agreed" in text
    (shown,) = json.loads(hanbeon("consent", "notice", *terms, "--json").out)
    assert shown["hash"] in text
    tokens = tmp_path / "tokens.txt"
    home = own_lake.run.settings.home_path
    tokens.write_text(identity.provider(home).authenticate(ONE, shown["hash"], now()) + "\n", encoding="ascii")
    (tmp_path / "one.txt").write_text(ONE)
    given = (*terms, "--identifier-file", str(tmp_path / "one.txt"), "--token-file", str(tokens))
    (row,) = json.loads(hanbeon("consent", "grant", *given, "--json").out)
    scopes = ledger.authorisations(own_lake.run.conn, authorisation_id=row["authorisation_id"]).to_pylist()
    assert all("DSBLTY_DGREE_CD" not in s["columns"] for s in scopes)
    before = ledger.position(own_lake.run.conn)
    again = hanbeon("consent", "grant", *given)
    assert (again.code, "used before" in again.err) == (1, True)
    assert ledger.position(own_lake.run.conn) == before  # nor was an application opened


@pytest.mark.usefixtures("provider")
def test_who_withdraws_is_told_by_the_ledger(hanbeon: Hanbeon, own_lake: SmallLake, tmp_path: Path) -> None:
    consent, run = own_lake.one.consent or "", own_lake.run
    assert hanbeon("consent", "pause", consent).code == 0
    assert hanbeon("consent", "resume", consent).code == 0
    from schemas.notices import act_notice

    tokens, nonce = tmp_path / "token.txt", act_notice("withdrawn", consent).digest
    tokens.write_text(identity.provider(run.settings.home_path).authenticate(ONE, nonce, now()), encoding="ascii")
    assert hanbeon("consent", "withdraw", consent, "--token-file", str(tokens)).code == 0
    said = [(e.kind, (e.payload or {}).get("by")) for e in history(run.conn, consent)][1:]
    assert said == [("paused", "operator"), ("resumed", "citizen"), ("withdrawn", "citizen")]


@pytest.mark.parametrize("content", ["", "not a token\n", "a\nb\n", "한글"])
def test_a_file_of_tokens_that_proves_nothing_is_refused_in_a_sentence(
    refused: Hanbeon, tmp_path: Path, content: str
) -> None:
    (tmp_path / "tokens.txt").write_text(content, encoding="utf-8")
    (tmp_path / "one.txt").write_text(ONE)
    said = refused(
        "consent", "grant", "--service", "HOUSING_SUBSCRIPTION", "--identifier-file", str(tmp_path / "one.txt"),
        "--token-file", str(tmp_path / "tokens.txt"),
    )  # fmt: skip
    assert said.code in (1, 2)
    assert said.err.count("\n") == 1
    assert ONE not in said.err


def test_a_statutory_service_shows_no_notice(bare: Hanbeon) -> None:
    said = bare("consent", "notice", "--service", "WELFARE_PROPERTY")
    assert (said.code, "nobody is asked" in said.err) == (2, True)


def test_a_notice_for_each_of_what_somebody_consents_to_about_herself_and_as_owner(bare: Hanbeon) -> None:
    own, vehicle = json.loads(bare("consent", "notice", "--service", "DISABLED_CAR_PASS", "--json").out)
    assert own["hash"] != vehicle["hash"]
    text = {i["id"]: i["ko"] for i in vehicle["items"]}
    assert "자동차등록원부" in text["documents"]
    assert "장애인증명서" not in text["documents"]


def test_a_file_that_the_worlds_agency_signed_is_imported(
    hanbeon: Hanbeon, own_lake: SmallLake, tmp_path: Path
) -> None:
    home = own_lake.run.settings.home_path
    (home / "agencies" / "state.json").touch()  # any world; the agency's key is all that is used of it
    file = tmp_path / "many.csv"
    file.write_text(
        "external_id,service,identifier_kind,subject_identifier,valid_from,valid_until,salt\n"
        f"x1,HOUSING_SUBSCRIPTION,RRN,{ONE},2026-01-01,2100-01-01,{'5a' * 32}\n"
    )
    assert hanbeon("consent", "import", str(file)).code == 1
    assert hanbeon("world", "sign", str(file)).code == 0
    said = hanbeon("consent", "import", str(file), "--manifest", f"{file}.jws")
    assert (said.code, "1 granted" in said.out) == (0, True)
