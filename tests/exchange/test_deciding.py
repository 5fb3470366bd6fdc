"""A decision hands its evidence over: signed, sealed for the recipient, once, until acknowledged (P4, P6)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from consent import applications, handovers, ledger, outbox
from consent.model import Decision
from consent.signing import jwk, read_jws
from exchange.deciding import decide
from hanbeon.errors import DependencyDown, Refused
from hanbeon.settings import SourceSettings
from pipeline import handover
from pipeline.attest import operator
from pipeline.erase import erase
from pipeline.run import Run
from pipeline.telling import Told, carry
from sources.simulate import faults, inbox
from tests.pipeline.test_telling import inboxes  # noqa: F401 - a fixture
from tests.small_lake import SmallLake


def decided(lake: SmallLake) -> str:
    application = str(lake.two.application)
    decide(lake.run, application, Decision.APPROVED, "kim")
    return application


def outcomes(run: Run) -> list[str | None]:
    return [h.outcome for h in handovers.handovers(run.conn)]


def test_the_signed_evidence_reaches_the_case_file_and_is_acknowledged(inboxes: SmallLake) -> None:  # noqa: F811
    run, home = inboxes.run, inboxes.run.settings.home_path
    application = decided(inboxes)
    assert outcomes(run) == [None]
    assert carry(run) == Told(1, 0)
    assert outcomes(run) == ["acknowledged"]

    (document,) = inbox.case_file(home, "mogef")
    said = read_jws(document, [jwk(operator(run.settings).documents)])
    assert (said["aud"], said["application_id"], said["document_type"]) == ("mogef", application, "FAMR")
    assert said["authorisations"][0]["id"] == inboxes.two.consent
    (copy,) = said["copies"]
    assert copy["values"]["SELF_FLNM"] == inboxes.two.name
    (relatives,) = copy["groups"].values()
    assert "FAM_BRDT" in relatives[0]
    assert copy["provenance"]["table"] == "shares/mogef/family_relation_certificate"
    assert len(copy["provenance"]["commit_sha256"]) == 64


def test_p10_what_waits_can_be_read_by_the_recipient_alone(own_lake: SmallLake) -> None:
    run, name = own_lake.run, own_lake.two.name
    decided(own_lake)
    stored = run.conn.execute("select handovers::text from handovers").fetchall()
    stored += run.conn.execute("select outbox::text from outbox").fetchall()
    assert len(stored) == 2
    assert not any(name in row[0] or "FLNM" in row[0] for row in stored)


def test_the_decision_consumes_and_the_rows_go_although_the_case_file_is_down(own_lake: SmallLake) -> None:
    """P5: what has to be handed over still needs the lake no more."""
    run = own_lake.run
    decided(own_lake)
    assert ledger.authorisations(run.conn, authorisation_id=own_lake.two.consent)["state"].unique().to_pylist() == [
        "consumed"
    ]
    assert erase(run).counts["rows_removed"] > 0
    assert outcomes(run) == [None]
    late = run.at() + timedelta(days=run.settings.retention.acknowledge_within_days)
    assert [h.is_overdue(late) for h in handovers.handovers(run.conn)] == [True]
    assert [m.kind for m in outbox.overdue(run.conn, late)].count(handovers.KIND) == 1


def test_p6_an_answer_lost_on_the_way_leaves_one_copy_and_one_acknowledgement(inboxes: SmallLake) -> None:  # noqa: F811
    run, home = inboxes.run, inboxes.run.settings.home_path
    decided(inboxes)
    faults.inject(home, "inbox", truncate=True)
    assert carry(run) == Told(0, 1)
    assert len(inbox.case_file(home, "mogef")) == 1
    assert outcomes(run) == [None]
    faults.heal(home)
    assert carry(run) == Told(1, 0)
    assert carry(run) == Told(0, 0)
    assert outcomes(run) == ["acknowledged"]
    assert len(inbox.case_file(home, "mogef")) == 1


def test_p6_killed_between_acknowledgement_and_destroying_the_ciphertext_goes_next_time(inboxes: SmallLake) -> None:  # noqa: F811
    run = inboxes.run
    decided(inboxes)
    settle, handovers.settle = handovers.settle, lambda conn, at: None
    try:
        assert carry(run) == Told(1, 0)
    finally:
        handovers.settle = settle
    assert outcomes(run) == [None]
    carry(run)
    assert outcomes(run) == ["acknowledged"]
    assert run.conn.execute("select count(*) from handovers where sealed is not null").fetchone() == (0,)


def test_deciding_again_hands_nothing_over_again(own_lake: SmallLake) -> None:
    run = own_lake.run
    application = decided(own_lake)
    again = decide(run, application, Decision.APPROVED, "kim")
    assert again.handovers == ()
    assert len(handovers.handovers(run.conn)) == 1


def test_an_application_that_the_citizen_takes_back_hands_nothing_over(own_lake: SmallLake) -> None:
    assert decide(own_lake.run, str(own_lake.two.application), Decision.WITHDRAWN, "kim").handovers == ()
    assert handovers.handovers(own_lake.run.conn) == []


def test_p4_a_withdrawal_destroys_what_was_not_handed_over_yet(inboxes: SmallLake) -> None:  # noqa: F811
    run, home = inboxes.run, inboxes.run.settings.home_path
    decided(inboxes)
    ledger.withdraw(run.conn, str(inboxes.two.consent), run.at())
    assert carry(run) == Told(0, 0)
    assert outcomes(run) == ["withdrawn"]
    assert inbox.case_file(home, "mogef") == []


def test_p4_what_nobody_took_until_its_data_life_is_over_lapses(own_lake: SmallLake) -> None:
    run = own_lake.run
    decided(own_lake)
    handovers.settle(run.conn, run.at() + timedelta(days=10_000))
    assert outcomes(run) == ["lapsed"]
    assert outbox.messages(run.conn) == []


def test_a_suspended_agreement_holds_the_evidence_back_until_it_is_resumed(inboxes: SmallLake) -> None:  # noqa: F811
    run = inboxes.run
    decided(inboxes)
    rows = ledger.approvals(run.conn).to_pylist()
    (approval,) = {r["approval_id"] for r in rows if (r["document_type"], r["recipient"]) == ("FAMR", "mogef")}
    ledger.suspend_approval(run.conn, approval, run.at())
    assert carry(run) == Told(0, 1)
    ledger.resume_approval(run.conn, approval, run.at())
    assert carry(run) == Told(1, 0)


def test_consent_that_moved_since_the_bundle_was_read_decides_nothing(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    stale = handover.Rested("FAMR", "general", (str(two.consent),), ())
    ledger.pause(run.conn, str(two.consent), run.at())
    with pytest.raises(Refused, match="Consent changed"):
        handover.decide(run, str(two.application), Decision.APPROVED, {}, [stale])
    assert applications.get(run.conn, str(two.application))["state"] == "open"


def test_a_recipient_without_a_key_stops_the_decision_before_anything_is_consumed(own_lake: SmallLake) -> None:
    run, path = own_lake.run, own_lake.run.settings.trust_path
    path.write_text(path.read_text().replace('"use": "enc"', '"use": "none"'))
    with pytest.raises(DependencyDown, match="encryption key of mogef"):
        decide(run, str(own_lake.two.application), Decision.APPROVED, "kim")
    assert applications.get(run.conn, str(own_lake.two.application))["state"] == "open"
    assert outbox.messages(run.conn) == []


def test_an_agency_that_is_down_is_told_again_later(inboxes: SmallLake) -> None:  # noqa: F811
    decided(inboxes)
    faults.inject(inboxes.run.settings.home_path, "inbox", silent=True)
    impatient = replace(inboxes.run.settings, sources=SourceSettings(retries=0, timeout_seconds=2))
    assert carry(replace(inboxes.run, settings=impatient)) == Told(0, 1)
    faults.heal(inboxes.run.settings.home_path)
    assert carry(inboxes.run) == Told(1, 0)
