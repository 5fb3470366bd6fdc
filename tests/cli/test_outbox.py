"""`hanbeon outbox`, `hanbeon erase --certificate`, and what the doctor says of both."""

import json
from datetime import timedelta

from consent import bodies, ledger, outbox
from consent.bodies import BodyKind
from pipeline.erase import erase
from tests.cli.conftest import Hanbeon
from tests.small_lake import SmallLake


def test_a_certificate_is_printed_with_its_signed_form(hanbeon: Hanbeon, own_lake: SmallLake) -> None:
    run = own_lake.run
    ledger.withdraw(run.conn, str(own_lake.two.consent), run.at())
    number = erase(run).counts["certificate"]
    said = hanbeon("erase", "--certificate", str(number))
    assert said.code == 0
    given = json.loads(said.out)
    assert given["number"] == number
    assert given["signed"].count(".") == 2
    told = json.loads(hanbeon("outbox", "--json").out)
    assert {(m["to_agency"], m["about"], m["state"]) for m in told} == {
        ("mogef", number, "waiting"),
        ("scourt", number, "waiting"),
    }


def test_there_is_no_such_certificate(hanbeon: Hanbeon) -> None:
    said = hanbeon("erase", "--certificate", "99999")
    assert (said.code, "no erasure certificate" in said.err) == (2, True)
    assert hanbeon("erase", "--certificate", "1", "--now").code == 2


def test_what_is_overdue_is_said_and_is_exit_code_1(hanbeon: Hanbeon, own_lake: SmallLake) -> None:
    run = own_lake.run
    assert hanbeon("outbox").code == 0
    number = bodies.record_body(run.conn, BodyKind.CERTIFICATE, {"tables": []})
    long_ago = run.at() - timedelta(days=30)
    outbox.send(run.conn, "mois", outbox.CERTIFICATE, {"number": number}, long_ago, long_ago + timedelta(days=10))
    said = hanbeon("outbox", "--send")
    assert said.code == 1
    assert "OVERDUE" in said.out
    assert "not acknowledged in time" in hanbeon("doctor").out
