"""The ledger's own payloads are erased when the term after their end is over; the log still accounts for them (P4)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from consent import applications, holds, ledger
from consent.holds import Ground, Terms
from consent.snapshot import AUTHORISATIONS_SCHEMA, EVENTS_SCHEMA
from hanbeon.errors import UsageError
from lake import erase as lake_erase
from lake import tables
from pipeline.attest import need_no_contradiction
from pipeline.erase import erase
from pipeline.expiring import end_ledger_terms
from pipeline.ledger_copy import EVENTS, copy_ledger
from pipeline.run import Run
from tests.small_lake import SmallLake
from verify.verify import verify

TERM = timedelta(days=1825)
SECOND = timedelta(seconds=1)
STAYS = {"position", "instant", "authorisation_id", "kind", "subject", "leaf_hash"}


def after_term(run: Run) -> Run:
    end = run.at() + TERM
    return replace(run, at=lambda: end)


def copied(run: Run, authorisation_id: str) -> list[dict[str, Any]]:
    rows = tables.read(run.settings.lake_root, EVENTS, schema=EVENTS_SCHEMA).to_pylist()
    return sorted((r for r in rows if r["authorisation_id"] == authorisation_id), key=lambda r: int(r["position"]))


def test_p4_what_ended_a_term_ago_keeps_hash_and_place_alone_everywhere(own_lake: SmallLake) -> None:
    run, gone, stays = own_lake.run, str(own_lake.one.consent), str(own_lake.two.consent)
    ledger.withdraw(run.conn, gone, run.at())
    erase(run)
    before = copied(run, gone)
    assert [row["kind"] for row in before] == ["granted", "withdrawn"]
    assert lake_erase.scan(run.settings.lake_root, [gone[-20:]])
    later = after_term(run)
    assert erase(later).counts["ledger_payloads_erased"] >= 2
    for old, new in zip(before, copied(run, gone), strict=True):
        assert {name for name, value in new.items() if value is not None} == STAYS
        assert {name: new[name] for name in STAYS} == {name: old[name] for name in STAYS}
    held = tables.read(run.settings.lake_root, "ledger/authorisations", schema=AUTHORISATIONS_SCHEMA)
    assert gone not in held.column("authorisation_id").to_pylist()
    assert all(event.is_erased for event in ledger.history(run.conn, gone))
    assert copied(run, stays)[0]["payload"] is not None or stays not in held.column("authorisation_id").to_pylist()
    need_no_contradiction(later)
    assert verify(run.settings.lake_root).findings == []


def test_nothing_is_erased_a_second_before_and_nothing_twice(own_lake: SmallLake) -> None:
    run, at = own_lake.run, own_lake.run.at()
    ledger.withdraw(run.conn, str(own_lake.one.consent), at)
    copy_ledger(run)
    assert end_ledger_terms(replace(run, at=lambda: at + TERM - SECOND)) == 0
    assert end_ledger_terms(replace(run, at=lambda: at + TERM)) == 2
    assert end_ledger_terms(replace(run, at=lambda: at + TERM + SECOND)) == 0


def test_f1_killed_between_database_and_copy_the_copy_follows(own_lake: SmallLake) -> None:
    run, gone = own_lake.run, str(own_lake.one.consent)
    ledger.withdraw(run.conn, gone, run.at())
    copy_ledger(run)
    ledger.erase_payloads(run.conn, [event.position for event in ledger.history(run.conn, gone)])
    assert copied(run, gone)[0]["payload"] is not None
    assert end_ledger_terms(run) == 0
    assert copied(run, gone)[0]["payload"] is None


def test_data_life_runs_before_the_ledger_s_term_does(own_lake: SmallLake) -> None:
    """What was consumed may still be kept until `retain_until`; its consent is needed that long, and a term longer."""
    run, consent = own_lake.run, str(own_lake.one.consent)
    applications.decide(run.conn, str(own_lake.one.application), "approved", run.at())
    rows = ledger.authorisations(run.conn, authorisation_id=consent).to_pylist()
    assert {row["state"] for row in rows} == {"consumed"}
    (kept_until,) = {row["retain_until"] for row in rows}
    copy_ledger(run)
    assert end_ledger_terms(replace(run, at=lambda: kept_until + TERM - SECOND)) == 0
    assert end_ledger_terms(replace(run, at=lambda: kept_until + TERM)) == 4  # granted, consumed; opened, decided
    with pytest.raises(UsageError, match="no application"):
        applications.decide(run.conn, str(own_lake.one.application), "approved", run.at())


def test_what_still_stands_or_a_hold_names_keeps_its_payload(own_lake: SmallLake) -> None:
    run, at, paused, held = own_lake.run, own_lake.run.at(), str(own_lake.one.consent), str(own_lake.two.consent)
    ledger.pause(run.conn, paused, at)
    terms = Terms(Ground.APPEAL, "행정심판법 제23조", at + 2 * TERM, at + TERM)
    hold = holds.place(run.conn, terms, at, authorisation_id=held)
    ledger.withdraw(run.conn, held, at)
    later = replace(run, at=lambda: at + TERM + SECOND)
    assert end_ledger_terms(later) == 0
    assert not any(event.is_erased for key in (paused, held) for event in ledger.history(run.conn, key))
    holds.lift(run.conn, hold, later.at())
    assert end_ledger_terms(later) == 2
