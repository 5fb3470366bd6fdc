"""Whom nothing covers any more is forgotten, and comes back as the same person with nothing of before (P4, P10)."""

from datetime import UTC, datetime

import pyarrow as pa

from consent import applications, bodies, forgetting, journal, ledger, owners, vault
from consent.bodies import BodyKind
from consent.journal import PullState
from consent.model import Application
from hanbeon import authenticating, granting
from pipeline.coverage import COVERAGE_SCHEMA
from pipeline.erase import erase
from pipeline.run import open_run
from schemas.services import service
from tests.small_lake import ONE, THREE, TWO, Citizen, SmallLake

EVERYBODY = [ONE, TWO, THREE]


def known(lake: SmallLake) -> list[int | None]:
    return list(vault.find(lake.run.conn, lake.run.secrets, "RRN", EVERYBODY).to_pylist())


def inventory(lake: SmallLake) -> dict[str, tuple[str, str]]:
    newest = bodies.bodies(lake.run.conn, BodyKind.CERTIFICATE)[-1]
    return {entry["kind"]: (entry["state"], entry["detail"]) for entry in newest["inventory"]}


def leave_for_good(lake: SmallLake, citizen: Citizen) -> None:
    for application in (citizen.application, citizen.second_application):
        if application is not None:
            applications.decide(lake.run.conn, application, "withdrawn", lake.run.at())
    for consent in (citizen.consent, citizen.second_consent):
        if consent is not None:
            ledger.withdraw(lake.run.conn, consent, lake.run.at())


def test_p4_whom_nothing_covers_any_more_the_vault_forgets(own_lake: SmallLake) -> None:
    one, two, three = own_lake.one, own_lake.two, own_lake.three
    erase(own_lake.run)
    assert known(own_lake) == [one.key, two.key, three.key]  # three refuses consent, and her application is open
    leave_for_good(own_lake, two)
    leave_for_good(own_lake, three)
    erase(own_lake.run)
    assert known(own_lake) == [one.key, None, None]
    assert inventory(own_lake)["persons"] == ("erased", "2")


def test_who_stands_in_another_s_certificate_stays_known_until_that_goes_too(own_lake: SmallLake) -> None:
    """Every family certificate of this lake names ONE as a line's person."""
    one, two = own_lake.one, own_lake.two
    leave_for_good(own_lake, one)
    erase(own_lake.run)
    assert known(own_lake)[0] == one.key
    leave_for_good(own_lake, two)
    erase(own_lake.run)
    assert known(own_lake)[:2] == [None, None]


def test_an_open_application_alone_keeps_a_person_known(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    ledger.withdraw(run.conn, str(two.consent), run.at())
    erase(run)
    assert known(own_lake)[1] == two.key


def test_who_comes_back_is_the_same_person_under_a_new_secret(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    owner = owners.owner_of_key(two.key)
    before = owners.known(run.conn, run.secrets, [owner])[owner]
    leave_for_good(own_lake, two)
    erase(run)
    assert known(own_lake)[1] is None
    at = run.at()
    assert vault.keys(run.conn, run.secrets, "RRN", [TWO], at).to_pylist() == [two.key]
    wanted = service("SINGLE_PARENT")
    application = applications.open(run.conn, Application(None, wanted.id, wanted.recipient, two.key, at), at)
    grants = [granting.grant(wanted, two.key, application, at)]
    (consent,) = ledger.grant(run.conn, authenticating.simulated(run, grants, at), at)
    assert consent != two.consent
    assert owners.known(run.conn, run.secrets, [owner])[owner] != before
    erase(run)
    assert known(own_lake)[1] == two.key
    assert vault.reveal(run.conn, run.secrets, "RRN", [two.key]).column("identifier").to_pylist() == [TWO]


def test_what_pulls_remember_of_the_forgotten_goes_and_of_others_stays(own_lake: SmallLake) -> None:
    run, one, two = own_lake.run, own_lake.one, own_lake.two
    rows = [{"_subject_key": key, "_variant": "general", "columns": ["self_nm"]} for key in (one.key, two.key)]
    asked = pa.Table.from_pylist(rows, schema=COVERAGE_SCHEMA)
    state = PullState("scourt/family_register", "watermark", 3, asked)
    call = journal.Call("call", "run", None, "code", 3)
    intent = journal.open_intent(run.conn, call, "bronze/scourt/family_register", 0, state)
    journal.close_intent(run.conn, intent, "unchanged")
    leave_for_good(own_lake, two)
    erase(run)
    kept = journal.pull_state(run.conn, state.dataset)
    assert kept is not None
    assert (kept.watermark, kept.ledger_position) == ("watermark", 3)
    assert kept.coverage.column("_subject_key").to_pylist() == [one.key]
    left = run.conn.execute("select count(*) from intents where state <> 'open' and pull_state is not null").fetchone()
    assert left == (0,)


def test_nobody_is_forgotten_while_another_process_may_use_their_key(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    leave_for_good(own_lake, two)
    with open_run(run.settings, "another"):
        erase(run)
    assert known(own_lake)[1] == two.key
    assert inventory(own_lake)["persons"][0] == "pending"
    erase(run)
    assert known(own_lake)[1] is None
    assert inventory(own_lake)["persons"] == ("erased", "1")


def test_a_block_in_force_keeps_both_known(own_lake: SmallLake) -> None:
    run, two, three = own_lake.run, own_lake.two, own_lake.three
    leave_for_good(own_lake, two)
    leave_for_good(own_lake, three)
    run.conn.execute(
        "insert into blocks values ('blck-made', %s, %s, 'law', %s, null, 1)",
        [two.key, three.key, datetime(2026, 1, 1, tzinfo=UTC)],
    )
    assert forgetting.uncovered(run.conn, [], run.at()) == []
