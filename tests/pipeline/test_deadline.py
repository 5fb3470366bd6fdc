"""What a quick erasure leaves to the database goes by itself the day before the deadline (P4)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from consent import bodies, erasures, ledger
from consent.bodies import BodyKind
from hanbeon.settings import RetentionSettings
from pipeline import deadline
from pipeline.erase import erase
from pipeline.run import Run
from tests.small_lake import SmallLake


def kinds(run: Run) -> list[set[str]]:
    """What each certificate's inventory names, oldest first."""
    return [{e["kind"] for e in body["inventory"]} for body in bodies.bodies(run.conn, BodyKind.CERTIFICATE)]


def after(run: Run, **passed: float) -> Run:
    at = run.at() + timedelta(**passed)
    return replace(run, at=lambda: at, run_id=f"later-{passed}".replace(" ", ""))


def test_p4_a_quick_erasure_is_made_thorough_the_day_before_the_deadline(own_lake: SmallLake) -> None:
    run = own_lake.run
    ledger.withdraw(run.conn, str(own_lake.two.consent), run.at())
    erase(run)
    assert "database" not in kinds(run)[0]
    assert not deadline.is_due(after(run, days=3.9))
    assert deadline.is_due(after(run, days=4.1))
    assert not deadline.is_overdue(after(run, days=4.9))
    assert deadline.is_overdue(after(run, days=5.1))
    erase(after(run, days=4.1))
    assert erasures.oldest_unended(run.conn) is None
    assert not deadline.is_overdue(after(run, days=99))


def test_an_erasure_on_demand_leaves_nothing_to_wait_for(own_lake: SmallLake) -> None:
    run = own_lake.run
    ledger.withdraw(run.conn, str(own_lake.two.consent), run.at())
    erase(run, is_now=True)
    assert "database" in kinds(run)[0]
    assert erasures.oldest_unended(run.conn) is None


def test_an_erasure_that_took_nothing_away_does_not_wait(own_lake: SmallLake) -> None:
    run = own_lake.run
    erase(run, is_now=True)
    erase(after(run, minutes=1))
    assert erasures.oldest_unended(run.conn) is None


@pytest.mark.parametrize(("days", "state"), [(0, "none"), (30, "operator must")])
def test_a_certificate_says_when_the_key_of_backups_is_destroyed(own_lake: SmallLake, days: int, state: str) -> None:
    settings = replace(own_lake.run.settings, retention=RetentionSettings(backup_key_destroyed_after_days=days))
    run = replace(own_lake.run, settings=settings)
    ledger.withdraw(run.conn, str(own_lake.two.consent), run.at())
    erase(run)
    (body,) = bodies.bodies(run.conn, BodyKind.CERTIFICATE)
    (entry,) = (e for e in body["inventory"] if e["kind"] == "backups")
    assert entry["state"] == state
    wanted: dict[str, Any] = {"none": "none are made", "operator must": "destroy their key by 20"}
    assert wanted[state] in entry["detail"]
