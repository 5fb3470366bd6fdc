"""The review of access records: what it flags, what the log then says, and that a missed one is an alert (F64)."""

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from consent import accesses, applications, bodies, readers, vault
from consent.accesses import Access, Action
from consent.bodies import BodyKind
from consent.model import Decision
from consent.workdays import is_working_day
from exchange.bundle import open_bundle
from hanbeon.clock import SEOUL, now, parse_instant, seoul_date
from hanbeon.settings import ReviewSettings
from pipeline import review
from pipeline.run import Run
from tests.small_lake import ONE, SmallLake


def _noon() -> datetime:
    """Noon in Seoul of the first two working days in a row from tomorrow on: consents of the lake are in force then."""
    day = seoul_date(now()) + timedelta(days=1)
    while not (is_working_day(day) and is_working_day(day + timedelta(days=1))):
        day += timedelta(days=1)
    return datetime.combine(day, time(12), SEOUL)


NOON = _noon()
BOUNDS = ReviewSettings(bulk_persons=3, refused_reads=2)


@pytest.fixture
def run(own_lake: SmallLake) -> Run:
    """A run in office hours, with small bounds."""
    own = own_lake.run
    return replace(own, settings=replace(own.settings, review=BOUNDS), at=lambda: NOON)


def read(run: Run, reader: str, at: datetime = NOON, **more: object) -> str:
    given = {"action": Action.BUNDLE, "asked": "bundle", **more}
    return accesses.record(run.conn, Access(reader, **given), at)  # type: ignore[arg-type]


def flagged(run: Run) -> list[tuple[str, str]]:
    return [(flag.rule, flag.reader) for flag in review.review(run, "auditor").flags]


@pytest.fixture
def opened(own_lake: SmallLake) -> str:
    """An application that has been open since before every read of these tests."""
    key = own_lake.one.application
    assert key is not None
    own_lake.run.conn.execute("update applications set opened_at = %s", [NOON - timedelta(days=60)])
    return key


def test_a_read_for_an_open_application_in_office_hours_is_no_flag(run: Run, own_lake: SmallLake, opened: str) -> None:
    read(run, "worker", subject_key=own_lake.one.key, application_id=opened)
    assert flagged(run) == []


def test_a_case_workers_real_read_is_seen_by_the_review(run: Run, opened: str) -> None:
    open_bundle(run, opened, "worker")
    found = review.review(run, "auditor")
    assert found.reads >= 3
    assert found.flags == ()


def test_f64_a_read_without_an_open_application_is_flagged(run: Run, own_lake: SmallLake, opened: str) -> None:
    one = own_lake.one
    read(run, "curious", subject_key=one.key)
    applications.decide(run.conn, opened, Decision.APPROVED, NOON)
    read(run, "before", NOON - timedelta(seconds=1), subject_key=one.key, application_id=opened)
    read(run, "after", NOON, subject_key=one.key, application_id=opened)
    read(run, "analyst", action=Action.SQL, asked="select 1")
    assert flagged(run) == [("no_open_application", "curious"), ("no_open_application", "after")]


@pytest.mark.parametrize(
    ("instant", "is_off"),
    [
        ("2026-11-24T07:59:59+09:00", True),
        ("2026-11-24T08:00:00+09:00", False),
        ("2026-11-24T19:59:59+09:00", False),
        ("2026-11-24T20:00:00+09:00", True),
        ("2026-11-28T12:00:00+09:00", True),  # a Saturday
        ("2026-12-25T12:00:00+09:00", True),  # a holiday
    ],
)
def test_f64_hours_are_those_of_a_working_day_in_seoul(instant: str, is_off: bool) -> None:
    assert review.is_off_hours(parse_instant(instant), BOUNDS) is is_off


def test_f64_the_read_that_goes_past_the_bound_of_persons_is_flagged_once_a_day(run: Run, opened: str) -> None:
    of = {"application_id": opened}
    for key in (1, 2, 3, 3, 1):
        read(run, "worker", subject_key=key, **of)
    assert flagged(run) == []
    for key in (1, 2, 3):
        read(run, "worker", subject_key=key, **of)
    past = read(run, "worker", subject_key=4, **of)
    for key in (5, 6):
        read(run, "worker", subject_key=key, **of)
    for key in (1, 2, 3):
        read(run, "worker", NOON + timedelta(days=1), subject_key=key, **of)
    found = review.review(run, "auditor").flags
    assert [(flag.rule, flag.access_id) for flag in found] == [("bulk", past)]


def test_f64_refusals_that_repeat_are_flagged(run: Run, opened: str) -> None:
    for _ in range(3):
        read(run, "prober", is_granted=False, reason="unknown_application")
        read(run, "worker", application_id=opened, is_granted=False, reason="no_authorisation")
    read(run, "once", is_granted=False, reason="unknown_application")
    assert flagged(run) == [("many_refused", "prober")]


def test_f64_own_family_and_well_known_persons_are_flagged(run: Run, own_lake: SmallLake, opened: str) -> None:
    """`ONE` is a relative in everybody's certificate of this lake."""
    of = {"application_id": opened}
    readers.link(run.conn, "relative", review.person_hashes(run, [own_lake.one.key])[0])
    readers.watch(run.conn, review.person_hashes(run, [own_lake.three.key]))
    read(run, "relative", subject_key=own_lake.one.key, **of)
    read(run, "relative", subject_key=own_lake.two.key, **of)
    read(run, "stranger", subject_key=own_lake.two.key, **of)
    read(run, "stranger", subject_key=own_lake.three.key, **of)
    assert flagged(run) == [("own_record", "relative"), ("own_family", "relative"), ("watched", "stranger")]


def test_the_tables_of_a_review_hold_no_subject_key(run: Run, own_lake: SmallLake) -> None:
    key = vault.find(run.conn, run.secrets, "RRN", [ONE]).to_pylist()[0]
    readers.link(run.conn, "worker", review.person_hashes(run, [key])[0])
    held = run.conn.execute("select own_hash from readers").fetchone()
    assert held is not None
    assert key.to_bytes(8, "little", signed=True) not in held[0]
    assert key.to_bytes(8, "big", signed=True) not in held[0]


def test_p9_the_review_is_in_the_log_and_looks_at_each_read_once(run: Run) -> None:
    first = read(run, "curious", subject_key=1)
    found = review.review(run, "auditor")
    assert [flag.access_id for flag in found.flags] == [first]
    (body,) = [b for b in bodies.bodies(run.conn, BodyKind.FINDING) if b["kind"] == review.KIND]
    assert (body["start"], body["stop"], body["flagged"]["no_open_application"]) == (0, found.stop, 1)
    assert "curious" not in str(body)
    assert "auditor" not in str(body)
    again = review.review(run, "auditor")
    assert (again.start, again.flags) == (found.stop, ())
    assert again.reads == 1  # the first review is a read itself


def test_f64_a_missed_review_is_an_alert_from_the_instant_that_it_is_late(run: Run) -> None:
    assert not review.is_missed(run)
    read(run, "worker")
    late = NOON + timedelta(days=BOUNDS.every_days)
    assert not review.is_missed(replace(run, at=lambda: late))
    assert review.is_missed(replace(run, at=lambda: late + timedelta(seconds=1)))
    review.review(run, "auditor")
    assert not review.is_missed(replace(run, at=lambda: late + timedelta(seconds=1) - timedelta(days=1)))
