"""A death in the ledger: what its event says is what the court, or an auditor, reads years later."""

import json
from datetime import date

import psycopg
import pytest

from consent import deaths, ledger
from hanbeon.errors import UsageError
from tests.consent.making import AT, DAY

DEAD = 7


def test_the_event_says_who_died_when_and_by_what_record(ledger_conn: psycopg.Connection) -> None:
    key = deaths.record(ledger_conn, DEAD, date(2026, 5, 1), "FAMR-2026-1", AT)
    (event,) = ledger.events(ledger_conn, 0).to_pylist()
    assert (event["kind"], event["subject"], event["instant"]) == ("death_recorded", key, AT)
    assert json.loads(event["payload"]) == {
        "death_id": key,
        "subject_key": str(DEAD),
        "died_on": "2026-05-01",
        "evidence": "FAMR-2026-1",
    }
    (fact,) = ledger.snapshot(ledger_conn).deaths.to_pylist()
    assert fact["subject_key"] == DEAD


def test_said_twice_it_is_one_death_and_another_day_needs_a_correction(ledger_conn: psycopg.Connection) -> None:
    key = deaths.record(ledger_conn, DEAD, date(2026, 5, 1), "FAMR-2026-1", AT)
    assert deaths.record(ledger_conn, DEAD, date(2026, 5, 1), "MOIS-2", AT + DAY) == key
    with pytest.raises(UsageError, match="correct"):
        deaths.record(ledger_conn, DEAD, date(2026, 5, 2), "MOIS-2", AT + DAY)
    assert ledger.events(ledger_conn, 0).num_rows == 1
    deaths.correct(ledger_conn, key, AT + DAY)
    assert ledger.snapshot(ledger_conn).deaths.num_rows == 0
    assert ledger.events(ledger_conn, 0).to_pylist()[-1]["subject"] == key
    with pytest.raises(UsageError, match="no record of a death"):
        deaths.correct(ledger_conn, key, AT + DAY)


def test_nobody_has_died_tomorrow(ledger_conn: psycopg.Connection) -> None:
    deaths.record(ledger_conn, DEAD, AT.date(), "FAMR-2026-1", AT)
    with pytest.raises(UsageError, match="future"):
        deaths.record(ledger_conn, DEAD + 1, (AT + 2 * DAY).date(), "FAMR-2026-2", AT)
