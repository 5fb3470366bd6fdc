"""What ends by itself: the next run holds nothing for it and says why (F41, F42), at the very second (F7)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from consent import applications, deaths, ledger, representations
from consent.model import Capacity, Decision, Reason
from hanbeon import authenticating, granting
from hanbeon.commands.consent_view import consent_of
from lake import tables
from pipeline.erase import erase
from pipeline.gold import share_schema
from schemas.contract import gold, source
from schemas.services import service
from tests.consent.making import proof
from tests.small_lake import SmallLake, publish_again

FAMR = source("FAMR")
PAGE = gold(FAMR.published)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
EVIDENCE = "GRDN 2026-00001"


def held(lake: SmallLake) -> tuple[int, int, int]:
    """Rows about `two` in bronze and gold, and all rows of the share (of `one` and `two`)."""
    root = lake.run.settings.lake_root
    bronze = tables.read(root, f"bronze/{FAMR.dataset}", schema=FAMR.bronze_schema).to_pylist()
    published = tables.read(root, f"gold/{PAGE.name}", schema=PAGE.gold_schema).to_pylist()
    shared = tables.read(root, f"shares/mogef/{PAGE.name}", schema=share_schema(PAGE, "mogef"))
    return (*(sum(r["_subject_key"] == lake.two.key for r in rows) for rows in (bronze, published)), shared.num_rows)


def next_run(lake: SmallLake, at: datetime) -> dict[str, int]:
    """Erase and publish at an instant; why rows of authorisations do not flow then."""
    run = replace(lake.run, at=lambda: at, run_id=f"run-{at:%H%M%S%f}")
    told = dict(erase(run).withheld)
    publish_again(run)
    return told


def why(lake: SmallLake, authorisation_id: str, at: datetime) -> set[str]:
    shown = consent_of(replace(lake.run, at=lambda: at), authorisation_id)
    return {d["reason"] for d in shown["documents"]}


def in_the_name_of(lake: SmallLake, capacity: Capacity) -> str:
    """`one` consents for `two` instead of `two` herself."""
    run, one, two = lake.run, lake.one, lake.two
    (given,) = granting.grants(
        service("SINGLE_PARENT"), "RRN", two.key, two.application, run.at(), grantor_key=one.key, capacity=capacity
    )
    (key,) = ledger.grant(run.conn, authenticating.simulated(run, [given], run.at()), run.at())
    ledger.withdraw(run.conn, str(two.consent), run.at())
    return key


def test_a_child_turns_14_and_renews_for_herself(own_lake: SmallLake) -> None:
    conn, one, two = own_lake.run.conn, own_lake.one, own_lake.two
    birthday = own_lake.run.at() + 10 * DAY
    representations.record(
        conn, two.key, one.key, "guardian_of_child", EVIDENCE, own_lake.run.at() - DAY, of_age_at=birthday
    )
    key = in_the_name_of(own_lake, Capacity.GUARDIAN_OF_CHILD)

    told = next_run(own_lake, birthday - SECOND)
    assert held(own_lake) == (1, 1, 2)
    assert Reason.GUARDIANSHIP_ENDED not in told

    told = next_run(own_lake, birthday)
    assert held(own_lake) == (0, 0, 1)
    assert told[Reason.GUARDIANSHIP_ENDED] == 3
    assert any("guardianship has ended" in reason for reason in why(own_lake, key, birthday))

    ledger.renew(conn, key, None, birthday + SECOND, evidence=proof(key), grantor_key=two.key)
    assert why(own_lake, key, birthday + SECOND) <= {"", *why(own_lake, str(one.consent), birthday + SECOND)}
    assert Reason.GUARDIANSHIP_ENDED not in next_run(own_lake, birthday + 2 * SECOND)


def wards_guardianship_ends(lake: SmallLake) -> tuple[str, datetime]:
    at = lake.run.at()
    guardian = representations.record(lake.run.conn, lake.two.key, lake.one.key, "guardian_of_ward", EVIDENCE, at - DAY)
    key = in_the_name_of(lake, Capacity.GUARDIAN_OF_WARD)
    next_run(lake, lake.run.at())
    assert held(lake) == (1, 1, 2), "the guardian's consent stands for the ward's"
    ends = lake.run.at() + DAY
    representations.end(lake.run.conn, guardian, ends)
    return key, ends


def the_grantor_dies(lake: SmallLake) -> tuple[str, datetime]:
    at = lake.run.at()
    deaths.record(lake.run.conn, lake.two.key, date(2020, 1, 1), EVIDENCE, at)
    return str(lake.two.consent), at


def a_standing_consent_passes_its_end(lake: SmallLake) -> tuple[str, datetime]:
    run, two, housing = lake.run, lake.two, service("HOUSING_SUBSCRIPTION")
    for approval in granting.approvals(housing, run.at()):
        ledger.approve(run.conn, approval, run.at())
    ends = run.at() + 300 * DAY
    demand = granting.grant(housing, two.key, None, run.at(), ends)
    (key,) = ledger.grant(run.conn, authenticating.simulated(run, [demand], run.at()), run.at())
    ledger.withdraw(run.conn, str(two.consent), run.at())
    next_run(lake, ends - SECOND)
    assert held(lake)[:2] == (1, 1), "valid to the last second"
    return key, ends


def a_one_time_consent_is_consumed(lake: SmallLake) -> tuple[str, datetime]:
    applications.decide(lake.run.conn, str(lake.two.application), Decision.APPROVED, lake.run.at())
    return str(lake.two.consent), lake.run.at()


ENDINGS: list[tuple[Callable[[SmallLake], tuple[str, datetime]], Reason, str]] = [
    (wards_guardianship_ends, Reason.GUARDIANSHIP_ENDED, "guardianship has ended"),
    (the_grantor_dies, Reason.GRANTOR_DECEASED, "has died"),
    (a_standing_consent_passes_its_end, Reason.EXPIRED, "has expired"),
    (a_one_time_consent_is_consumed, Reason.CONSUMED, "used up"),
]


@pytest.mark.parametrize(("ending", "reason", "words"), ENDINGS)
def test_the_next_run_publishes_nothing_for_it_and_says_why(
    own_lake: SmallLake, ending: Callable[[SmallLake], tuple[str, datetime]], reason: Reason, words: str
) -> None:
    key, at = ending(own_lake)

    told = next_run(own_lake, at)

    assert held(own_lake)[:2] == (0, 0)
    assert held(own_lake)[2] <= 1, "nothing of hers is shared"
    assert told[reason] >= 1
    assert any(words in shown for shown in why(own_lake, key, at))


def test_f42_a_consent_that_stands_again_is_asked_for_as_if_it_were_new(own_lake: SmallLake) -> None:
    """A new record of who acts for whom counts as a move: the rows were erased in between."""
    from consent import gate
    from pipeline.demand import steady

    conn, one, two = own_lake.run.conn, own_lake.one, own_lake.two
    at = own_lake.run.at()
    first = representations.record(conn, two.key, one.key, "guardian_of_ward", EVIDENCE, at - DAY)
    in_the_name_of(own_lake, Capacity.GUARDIAN_OF_WARD)
    pulled, position = own_lake.run.at(), ledger.position(conn)

    def is_steady() -> bool:
        snapshot, now = ledger.snapshot(conn), own_lake.run.at()
        own = steady(gate.allowed(snapshot, now, "FAMR"), snapshot, "FAMR", position, pulled)
        return two.key in own.column("_subject_key").to_pylist()

    assert is_steady()
    representations.end(conn, first, own_lake.run.at())
    representations.record(conn, two.key, one.key, "guardian_of_ward", EVIDENCE, own_lake.run.at())
    assert two.key in gate.allowed(ledger.snapshot(conn), own_lake.run.at()).column("_subject_key").to_pylist()
    assert not is_steady()
