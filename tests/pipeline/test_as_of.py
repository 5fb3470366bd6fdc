"""What stood at an earlier moment is folded from events and leaves, and is the same whenever it is asked (P3)."""

from datetime import timedelta

import pytest

from consent import accesses, journal, ledger
from consent.model import State
from hanbeon.errors import UsageError
from pipeline.as_of import as_of
from pipeline.erase import erase
from tests.consent.making import proof
from tests.small_lake import SmallLake

GOLD = "gold/family_relation_certificate"


def test_p3_a_state_is_told_as_of_each_event(own_lake: SmallLake) -> None:
    run, consent = own_lake.run, str(own_lake.two.consent)
    ledger.pause(run.conn, consent, run.at())
    ledger.resume(run.conn, consent, run.at(), evidence=proof())
    ledger.withdraw(run.conn, consent, run.at())
    events = ledger.history(run.conn, consent)
    told = [as_of(run, consent, str(e.position), "an auditor").state for e in events]
    assert told == [State.GRANTED, State.PAUSED, State.GRANTED, State.WITHDRAWN]
    assert as_of(run, consent, "1", "an auditor").state is None
    before = as_of(run, consent, (events[0].instant - timedelta(days=1)).isoformat(), "an auditor")
    assert (before.state, before.versions, before.position) == (None, (), 0)
    assert as_of(run, consent, events[0].instant.isoformat(), "an auditor").is_in_dates


def test_p3_the_versions_that_stood_then_are_told_after_an_erasure_too(own_lake: SmallLake) -> None:
    run, consent = own_lake.run, str(own_lake.two.consent)
    position = str(ledger.position(run.conn))
    then = as_of(run, consent, position, "an auditor")
    ledger.withdraw(run.conn, consent, run.at())
    erase(run)
    assert as_of(run, consent, position, "an auditor").versions == then.versions
    (gold,) = [v for v in then.versions if v.table == GOLD]
    (now,) = [v for v in as_of(run, consent, str(ledger.position(run.conn)), "an auditor").versions if v.table == GOLD]
    newest = journal.newest_leaf(run.conn, GOLD)
    assert newest is not None
    assert gold.version < now.version == newest.version
    assert gold.log_index is not None


def test_p9_asking_is_recorded_and_rubbish_is_refused(own_lake: SmallLake) -> None:
    run, consent = own_lake.run, str(own_lake.two.consent)
    before = accesses.listing(run.conn).num_rows
    as_of(run, consent, "1", "an auditor")
    assert accesses.listing(run.conn).num_rows == before + 1
    for moment in ("yesterday", "999999", "-1", "1" * 40):
        with pytest.raises(UsageError):
            as_of(run, consent, moment, "an auditor")
    with pytest.raises(UsageError, match="no authorisation"):
        as_of(run, "auth-unknown", "1", "an auditor")
