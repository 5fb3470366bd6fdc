"""The verifier knows every kind of event that the ledger can hold, and what may follow what."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from consent import append
from consent.model import APPROVAL_TRANSITIONS, EVENT_KINDS, TRANSITIONS
from hanbeon.errors import UsageError
from verify import events
from verify.events import KINDS, folded, unfinished

AT = datetime(2026, 6, 1, tzinfo=UTC)


def rows(*kinds: str, subject: str = "one", payloads: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Events of one life, each saying no more than it must."""
    return [
        {
            "position": n,
            "instant": AT + timedelta(seconds=n),
            "authorisation_id": subject if KINDS[kind].life == "authorisation" else None,
            "kind": kind,
            "subject": subject,
            "payload": append.canonical((payloads or {}).get(kind, dict.fromkeys(KINDS[kind].says))).decode(),
        }
        for n, kind in enumerate(kinds, 1)
    ]


def test_the_verifier_knows_exactly_the_kinds_that_the_ledger_can_hold() -> None:
    assert set(KINDS) == EVENT_KINDS


def test_the_ledger_takes_no_event_of_a_kind_that_the_verifier_does_not_know(ledger_conn: psycopg.Connection) -> None:
    with pytest.raises(UsageError, match="no events of kind forgiven"):
        append.entry("forgiven", "one", {})


def test_what_may_follow_what_is_what_the_ledger_lets_follow() -> None:
    """Two tables, written apart: that of the ledger, and the verifier's own."""
    ours = {(before, kind) for kind, one in KINDS.items() for before in one.before or {None}}
    own = {(b, k) for b, k in ours if KINDS[k].life == "authorisation"}
    assert own == {(None if before is None else str(before), str(event)) for before, event in TRANSITIONS}
    of_approvals = {(b, k) for b, k in ours if KINDS[k].life == "approval"}
    assert of_approvals == {(None if b is None else str(b), event) for b, event in APPROVAL_TRANSITIONS}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_is_believed_where_it_may_stand_and_nowhere_else(kind: str) -> None:
    one = KINDS[kind]
    way = [*_way_to(kind), kind]
    assert folded(rows(*way))[1] == []
    alone = folded(rows(kind))[1]
    assert bool(alone) == bool(one.before), "what begins a life needs nothing before it"
    stranger = rows(*way)
    stranger[-1]["authorisation_id"] = None if one.life == "authorisation" else "another"
    assert folded(stranger)[1] == [(len(way), "it names another authorisation")]
    if one.says:
        silent = rows(*way, payloads={kind: {}})
        assert folded(silent)[1] == [(len(way), f"a {kind} event does not say what it must")]


def _way_to(kind: str) -> list[str]:
    """The shortest way of events to a state in which a kind may stand."""
    if not KINDS[kind].before:
        return []
    life = [k for k, one in KINDS.items() if one.life == KINDS[kind].life]
    (first,) = (k for k in life if not KINDS[k].before)
    ways = [[first], *([first, k] for k in life if KINDS[first].after in KINDS[k].before)]
    for way in ways:
        if KINDS[way[-1]].after in KINDS[kind].before:
            return way
    raise AssertionError(f"no way leads to {kind}")


def test_an_event_of_no_known_kind_is_a_finding() -> None:
    (event,) = rows("granted")
    assert folded([event | {"kind": "forgiven"}])[1] == [(1, "it is of no known kind")]


def test_a_resumption_after_a_withdrawal_is_a_finding_and_opens_nothing() -> None:
    lives, wrong = folded(rows("granted", "withdrawn", "resumed"))
    assert wrong == [(3, "resumed cannot follow what went before")]
    assert lives["authorisation", "one"].state == "withdrawn"


@pytest.mark.parametrize("emptied", [{1}, {2}, {1, 2}, set()])
def test_only_all_events_of_what_is_over_may_be_emptied(emptied: set[int]) -> None:
    """Or a withdrawal could be emptied, and be called something else."""
    for last, is_over in (("withdrawn", True), ("paused", False)):
        told = [e | {"payload": None} if e["position"] in emptied else e for e in rows("granted", last)]
        found = list(unfinished(folded(told)[0]))
        assert bool(found) == (bool(emptied) and not (is_over and emptied == {1, 2})), (last, emptied)


def test_holds_and_disputes_are_never_emptied() -> None:
    assert set(events.EMPTIED) == {"authorisation", "application"}
    placed, lifted = rows("hold_placed", "hold_lifted")
    assert list(unfinished(folded([placed | {"payload": None}, lifted | {"payload": None}])[0]))
