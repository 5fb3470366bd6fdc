"""Who consents, at the command line: guardians, heirs, the subject come of age. Numbers come in files alone (F42)."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from consent import ledger, vault
from hanbeon.clock import now, seoul_date
from tests.cli.conftest import Hanbeon
from tests.small_lake import ONE, TWO, SmallLake

LAST_YEAR = seoul_date(now()).year - 1
CHILD = f"{LAST_YEAR % 100:02d}21013000001"  # month + 20: nobody's
EVIDENCE = "FAMR 2026-00001"
FIRM, VEHICLE = "1101112345671", "KZZB81DB000000007"
File = Callable[..., str]


@pytest.fixture
def file(tmp_path: Path) -> File:
    def written(*numbers: str) -> str:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.txt"
        path.write_text("\n".join(numbers) + "\n", encoding="utf-8")
        return str(path)

    return written


@pytest.mark.usefixtures("provider")
def test_a_child_consents_through_her_recorded_guardian_alone(
    hanbeon: Hanbeon, own_lake: SmallLake, file: File
) -> None:
    grant = ["consent", "grant", "--service", "SINGLE_PARENT", "--identifier-file", file(CHILD)]
    by = ["--by", file(ONE), "--capacity", "guardian_of_child"]
    before = len(json.loads(hanbeon("application", "list", "--json").out))

    herself = hanbeon(*grant)
    assert (herself.code, "under 14" in herself.err) == (1, True)
    early = hanbeon(*grant, *by)
    assert (early.code, "representative record" in early.err) == (1, True)
    assert len(json.loads(hanbeon("application", "list", "--json").out)) == before, "nothing was opened for nothing"

    record = ["representative", "record", "--identifier-file", file(CHILD, ONE), "--capacity", "guardian_of_child"]
    recorded = json.loads(hanbeon(*record, "--evidence", EVIDENCE, "--json").out)
    assert recorded["state"] == "recorded"
    (shown,) = json.loads(hanbeon("representative", "list", "--json").out)
    assert shown["valid_until"].startswith(f"{LAST_YEAR + 13}-12-31T15:00"), "midnight in Seoul of the 14th birthday"
    granted = json.loads(hanbeon(*grant, *by, "--json").out)
    (row, *_) = ledger.authorisations(own_lake.run.conn, authorisation_id=granted[0]["authorisation_id"]).to_pylist()
    assert (row["_grantor_key"], row["grantor_capacity"]) == (own_lake.one.key, "guardian_of_child")
    assert row["_subject_key"] == vault.find(own_lake.run.conn, own_lake.run.secrets, "RRN", [CHILD]).to_pylist()[0]

    assert hanbeon("representative", "end", recorded["representation_id"]).code == 0
    why = hanbeon("consent", "show", granted[0]["authorisation_id"])
    assert "guardianship has ended" in why.out
    assert "법정대리인" in why.out


@pytest.mark.usefixtures("provider")
def test_a_ward_takes_over_what_her_guardian_consented(hanbeon: Hanbeon, own_lake: SmallLake, file: File) -> None:
    pair = file(TWO, ONE)
    arguments = ["--identifier-file", pair, "--capacity", "guardian_of_ward", "--evidence", "GRDN 2026-00001"]
    recorded = json.loads(hanbeon("representative", "record", *arguments, "--json").out)
    grant = ["consent", "grant", "--application", str(own_lake.two.application), "--by", file(ONE)]
    (granted,) = json.loads(hanbeon(*grant, "--capacity", "guardian_of_ward", "--json").out)
    consent = granted["authorisation_id"]
    assert hanbeon("representative", "end", recorded["representation_id"]).code == 0

    strangers = hanbeon("consent", "renew", consent, "--identifier-file", file("7723012345671"))
    assert (strangers.code, "grantor renews" in strangers.err) == (2, True)
    renewed = hanbeon("consent", "renew", consent, "--identifier-file", file(TWO), "--json")

    assert json.loads(renewed.out)["state"] == "renewed"
    shown = json.loads(hanbeon("consent", "show", consent, "--json").out)
    assert shown["capacity"] == "본인 · self"
    assert not any("guardianship" in d["reason"] for d in shown["documents"])


@pytest.mark.usefixtures("provider")
def test_a_standing_consent_is_renewed_under_the_notice_of_now(
    hanbeon: Hanbeon, own_lake: SmallLake, file: File
) -> None:
    grant = ["consent", "grant", "--service", "HOUSING_SUBSCRIPTION", "--identifier-file", file(ONE)]
    consent = json.loads(hanbeon(*grant, "--json").out)[0]["authorisation_id"]

    def row() -> dict[str, object]:
        return dict(ledger.authorisations(own_lake.run.conn, authorisation_id=consent).to_pylist()[0])

    before = row()
    assert hanbeon("consent", "renew", consent, "--until", "2098-01-01").code == 0
    after = row()
    assert after["valid_until"] > before["valid_until"]  # type: ignore[operator]
    assert after["notice_hash"] != before["notice_hash"], "the notice names the new END date"
    assert hanbeon("consent", "renew", consent, "--until", "2097-01-01").code == 2
    assert hanbeon("consent", "renew", str(own_lake.one.consent), "--until", "2098-01-01").code == 2, "one-time"


@pytest.mark.usefixtures("provider")
def test_a_death_stops_a_consent_and_lets_heirs_be_recorded(hanbeon: Hanbeon, own_lake: SmallLake, file: File) -> None:
    heir = ["representative", "record", "--identifier-file", file(TWO, ONE), "--capacity", "heir"]
    assert hanbeon(*heir, "--evidence", EVIDENCE).code == 2, "the living have no heirs"
    death = ["death", "record", "--identifier-file", file(TWO), "--died-on", "2020-01-01", "--evidence", EVIDENCE]
    recorded = json.loads(hanbeon(*death, "--json").out)

    assert "has died" in hanbeon("consent", "show", str(own_lake.two.consent)).out
    assert hanbeon(*heir, "--evidence", EVIDENCE).code == 0
    grant = ["consent", "grant", "--application", str(own_lake.two.application), "--by", file(ONE)]
    assert hanbeon(*grant, "--capacity", "heir").code == 0
    assert TWO not in hanbeon("death", "list").out
    assert hanbeon("death", "correct", recorded["death_id"]).code == 0
    assert "has died" not in hanbeon("consent", "show", str(own_lake.two.consent)).out
    assert json.loads(hanbeon("death", "list", "--json").out) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["representative", "record", "--capacity", "self", "--evidence", EVIDENCE],
        ["representative", "record", "--capacity", "owner", "--evidence", EVIDENCE],
        ["representative", "record", "--capacity", "nobody", "--evidence", EVIDENCE],
        ["representative", "record", "--capacity", "heir", "--evidence", f"of {ONE}"],
        ["representative", "record", "--capacity", "guardian_of_child", "--evidence", EVIDENCE],  # of an adult
        ["representative", "record", "--capacity", "guardian_of_ward", "--evidence", EVIDENCE, "--until", "soon"],
        ["death", "record", "--died-on", "yesterday", "--evidence", EVIDENCE],
        ["death", "record", "--died-on", "2020-01-01", "--evidence", EVIDENCE],  # of two people
        ["consent", "grant", "--service", "SINGLE_PARENT", "--capacity", "heir"],  # by nobody
    ],
    ids=lambda a: " ".join(a[:4]),
)
def test_what_makes_no_sense_is_refused_in_one_sentence(refused: Hanbeon, file: File, arguments: list[str]) -> None:
    said = refused(*arguments, "--identifier-file", file(TWO, ONE))
    assert said.code == 2
    assert len(said.err.strip().splitlines()) == 1
    assert ONE not in said.err + said.out


@pytest.mark.usefixtures("provider")
def test_a_corporation_consents_through_its_recorded_representative_alone(
    hanbeon: Hanbeon, own_lake: SmallLake, tmp_path: Path
) -> None:
    firm, both, head = tmp_path / "firm.txt", tmp_path / "both.txt", tmp_path / "head.txt"
    firm.write_text(FIRM)
    both.write_text(f"{FIRM}\n{ONE}\n")
    head.write_text(ONE)
    grant = ("consent", "grant", "--service", "NHIS_WORKPLACE", "--identifier-file", str(firm))
    acting = ("--by", str(head), "--capacity", "representative")
    for refused in (hanbeon(*grant), hanbeon(*grant, *acting)):
        assert refused.code == 1
        assert "representative" in refused.err
        assert FIRM not in refused.err
    (by_statute,) = json.loads(hanbeon(*grant, "--document", "CORR", "--json").out)
    assert (by_statute["kind"], by_statute["documents"]) == ("statute", ["CORR"])
    recorded = ("--identifier-file", str(both), "--capacity", "representative", "--evidence", "법인 등기 2026-1")
    assert hanbeon("representative", "record", *recorded).code == 0
    own, opened = json.loads(hanbeon(*grant, *acting, "--json").out)
    assert [(g["kind"], g["documents"]) for g in (own, opened)] == [("consent", ["BIZR"]), ("statute", ["CORR"])]


@pytest.mark.usefixtures("provider")
def test_only_the_recorded_owner_consents_to_what_a_vehicle_s_register_says(
    hanbeon: Hanbeon, own_lake: SmallLake, tmp_path: Path
) -> None:
    one, about, owned = tmp_path / "one.txt", tmp_path / "about.txt", tmp_path / "owned.txt"
    one.write_text(ONE)
    about.write_text(f"VIN:{VEHICLE}\n")
    owned.write_text(f"VIN:{VEHICLE}\nRRN:{ONE}\n")
    opening = ("application", "open", "--service", "DISABLED_CAR_PASS", "--identifier-file", str(one), "--json")
    (application,) = json.loads(hanbeon(*opening).out)
    grant = ("consent", "grant", "--application", application["application_id"], "--about", str(about))
    refused = hanbeon(*grant)
    assert (refused.code, "representative record" in refused.err, VEHICLE in refused.err) == (1, True, False)
    recorded = ("--identifier-file", str(owned), "--capacity", "owner", "--evidence", "자동차등록원부 2026-1")
    assert hanbeon("representative", "record", *recorded).code == 0
    own, vehicle = json.loads(hanbeon(*grant, "--json").out)
    assert (own["documents"], vehicle["documents"]) == (["DISB"], ["VHCL"])


def test_numbers_of_one_subject_are_linked_and_two_identities_never(
    hanbeon: Hanbeon, own_lake: SmallLake, tmp_path: Path
) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text(f"RRN:{ONE}\nPNO:M12345678\n")
    assert hanbeon("subject", "link", "--identifier-file", str(numbers)).code == 0
    numbers.write_text(f"RRN:{TWO}\nPNO:M12345678\n")
    said = hanbeon("subject", "link", "--identifier-file", str(numbers))
    assert (said.code, "never joined" in said.err, TWO in said.err) == (2, True, False)
    numbers.write_text("RRN:12\n")
    said = hanbeon("subject", "link", "--identifier-file", str(numbers))
    assert (said.code, "Line 1" in said.err) == (2, True)


@pytest.mark.usefixtures("provider")
def test_every_member_of_a_household_consents_for_herself_and_a_child_through_her_guardian(
    hanbeon: Hanbeon, own_lake: SmallLake, file: File
) -> None:
    members = ["--member", file(TWO, CHILD)]
    opening = ["application", "open", "--service", "BASIC_LIVELIHOOD", "--identifier-file", file(ONE)]
    (opened,) = json.loads(hanbeon(*opening, *members, "--not-concerned", "DISB", "--json").out)
    application = opened["application_id"]
    grant = ["consent", "grant", "--application", application]

    def lacking() -> dict[int | None, set[str]]:
        documents = json.loads(hanbeon("application", "show", application, "--json").out)["documents"]
        reasons: dict[int | None, set[str]] = {}
        for one in documents:
            if one["document_type"] == "INCM":
                reasons.setdefault(one["member"], set()).add(one["reason"])
        return reasons

    assert lacking() == {member: {"no_authorisation"} for member in (None, 1, 2)}
    assert hanbeon(*grant).code == 0
    assert hanbeon(*grant, "--member", file(TWO)).code == 0
    assert sorted(map(sorted, lacking().values())) == [["no_approval"], ["no_approval"], ["no_authorisation"]]

    child = ["--member", file(CHILD)]
    herself = hanbeon(*grant, *child)
    assert (herself.code, "under 14" in herself.err) == (1, True)
    by = ["--by", file(ONE), "--capacity", "guardian_of_child"]
    assert hanbeon(*grant, *child, *by).code == 1, "nobody recorded who her guardian is"
    record = ["representative", "record", "--identifier-file", file(CHILD, ONE), "--capacity", "guardian_of_child"]
    assert hanbeon(*record, "--evidence", EVIDENCE).code == 0
    granted = json.loads(hanbeon(*grant, *child, *by, "--json").out)
    assert granted[0]["documents"] == ["INCM", "HIPM", "LTAXI", "EMPI", "DISB"], "of her alone, not of the household"
    assert set().union(*lacking().values()) == {"no_approval"}

    stranger = hanbeon(*grant, "--member", file("7723012345671"))
    assert (stranger.code, "does not name this person" in stranger.err) == (2, True)
    assert (
        hanbeon("consent", "grant", "--service", "BASIC_LIVELIHOOD", "--identifier-file", file(ONE), *child).code == 2
    )


def test_members_are_of_one_applicant_s_household(hanbeon: Hanbeon, file: File) -> None:
    opening = ["application", "open", "--service", "BASIC_LIVELIHOOD", "--identifier-file", file(ONE, TWO)]
    refused = hanbeon(*opening, "--member", file(CHILD))
    assert (refused.code, "one applicant's household" in refused.err) == (2, True)
