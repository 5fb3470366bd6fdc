"""Certificates reach real inboxes over HTTP; who does not answer is told again (P4, P6, F28)."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

import pytest

from consent import bodies, ledger, outbox
from consent.bodies import BodyKind
from consent.signing import jwk, read_jws
from hanbeon.settings import Settings, SourceSettings
from pipeline import purging
from pipeline.attest import operator
from pipeline.erase import erase
from pipeline.recover import recover
from pipeline.run import open_run
from pipeline.telling import Told, carry, concerned_by, queue_certificate
from sources import endpoints
from sources.endpoints import Endpoints, HttpEndpoint
from sources.simulate import agency_keys, faults, identity, inbox
from sources.simulate.agency import Agency, serve_agency
from tests.small_lake import SmallLake


@pytest.fixture
def inboxes(own_lake: SmallLake) -> Iterator[SmallLake]:
    """The small lake, and every agency's inbox up over HTTP."""
    home = own_lake.run.settings.home_path
    identity.introduce(home)
    secret = home / "keys" / "agency-inbox.secret"
    secret.write_text("inbox-secret")
    agency = Agency("inbox", home, "hanbeon", "inbox-secret", "application/json", inbox.paths(home), 600.0, 500.0)
    server = serve_agency(agency, "127.0.0.1", 0)
    place = HttpEndpoint(f"http://127.0.0.1:{server.server_address[1]}", "hanbeon", str(secret))
    path = home / "agencies" / endpoints.FILE_NAME
    endpoints.write(path, Endpoints(inbox=dict.fromkeys(agency_keys.AGENCIES, place)))
    settings = replace(own_lake.run.settings, sources=SourceSettings(retries=0, timeout_seconds=5))
    yield replace(own_lake, run=replace(own_lake.run, settings=settings))
    server.shutdown()
    server.server_close()


def certificate(lake: SmallLake) -> int:
    return bodies.record_body(lake.run.conn, BodyKind.CERTIFICATE, {"tables": []})


def test_p4_an_erasure_tells_holder_and_recipients_and_keeps_their_answers(inboxes: SmallLake) -> None:
    run, home = inboxes.run, inboxes.run.settings.home_path
    ledger.withdraw(run.conn, str(inboxes.two.consent), run.at())
    summary = erase(run)
    assert summary.counts["acknowledged"] == 2
    assert summary.counts["unanswered"] == 0
    kept = {m.to_agency: m for m in outbox.messages(run.conn)}
    assert set(kept) == {"scourt", "mogef"}
    for agency, message in kept.items():
        (got,) = inbox.received(home, agency)
        assert got["kind"] == outbox.CERTIFICATE
        assert bodies.body_of(run.conn, message.acknowledgement or 0) is not None
        told = read_jws(json.loads(got["body"])["signed"], [jwk(operator(run.settings).documents)])
        assert told == bodies.body_of(run.conn, summary.counts["certificate"])


def test_f28_an_agency_that_is_silent_is_told_again_and_keeps_one_copy(inboxes: SmallLake) -> None:
    run, home = inboxes.run, inboxes.run.settings.home_path
    queue_certificate(run, certificate(inboxes), ["bronze/scourt/family_register"])
    faults.inject(home, "inbox", silent=True)
    assert carry(run) == Told(0, 1)
    faults.heal(home)
    assert carry(run) == Told(1, 0)
    assert carry(run) == Told(0, 0)
    assert len(inbox.received(home, "scourt")) == 1


def test_p6_an_answer_that_was_lost_on_the_way_is_asked_for_again(inboxes: SmallLake) -> None:
    """The agency has acted; the sender does not know. The same digest brings the same answer."""
    run, home = inboxes.run, inboxes.run.settings.home_path
    queue_certificate(run, certificate(inboxes), ["shares/mogef/family_relation_certificate"])
    faults.inject(home, "inbox", truncate=True)
    assert carry(run) == Told(0, 2)
    before = inbox.received(home, "mogef")
    assert len(before) == 1
    faults.heal(home)
    assert carry(run) == Told(2, 0)
    assert inbox.received(home, "mogef") == before


def test_an_agency_that_is_down_or_unknown_holds_up_nobody(own_lake: SmallLake) -> None:
    run = own_lake.run
    queue_certificate(run, certificate(own_lake), ["bronze/scourt/family_register"])
    assert carry(run) == Told(0, 1)
    path = run.settings.agencies_path / endpoints.FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    endpoints.write(path, Endpoints(inbox={"scourt": HttpEndpoint("http://127.0.0.1:9")}))
    assert carry(replace(run, settings=replace(run.settings, sources=SourceSettings(retries=0)))) == Told(0, 1)


@pytest.mark.parametrize(
    ("table", "agencies"),
    [
        ("bronze/nts/income", ["nts"]),
        ("quarantine/mois/resident_register", ["mois"]),
        ("gold/income_certificate__lines", ["nts"]),
        ("shares/mogef/family_relation_certificate", ["mogef", "scourt"]),
        ("gold/service_bundles", []),
    ],
)
def test_who_is_concerned_by_a_table(table: str, agencies: list[str]) -> None:
    assert concerned_by([table]) == agencies


def _die_after_queueing(settings: Settings) -> None:
    real = purging.queue_certificate

    def dying(*arguments: Any) -> None:
        real(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    purging.queue_certificate = dying  # type: ignore[assignment]
    with open_run(settings, "dying") as run:
        erase(run)


def test_f1_killed_after_queueing_everybody_is_told_of_one_certificate_once(own_lake: SmallLake) -> None:
    run = own_lake.run
    ledger.withdraw(run.conn, str(own_lake.two.consent), run.at())
    context = get_context("forkserver")
    context.set_forkserver_preload(["pipeline.erase"])
    process = context.Process(target=_die_after_queueing, args=(run.settings,))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    recover(run)
    erase(run)
    assert [m.to_agency for m in outbox.messages(run.conn)] == ["mogef", "scourt"]
    assert len(bodies.bodies(run.conn, BodyKind.CERTIFICATE)) == 1
