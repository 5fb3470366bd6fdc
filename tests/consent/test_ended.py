"""What ended so long ago that no term is left keeps place and hash in the ledger, and nothing else (P4)."""

from datetime import datetime, timedelta

import psycopg
import pytest

from consent import applications, ended, gate, history, holds, ledger, uses
from consent.holds import Ground, Terms
from consent.model import Application, Decision
from tests.consent.making import AT, DAY, SECOND, SERVICE, application, approval, grant, scope, standing

NOW = AT + 2000 * DAY


def end(conn: psycopg.Connection, until: datetime) -> int:
    return ended.end_terms(conn, until, NOW)


def granted(conn: psycopg.Connection, **changes: object) -> str:
    return ledger.grant(conn, [grant(**changes)], AT)[0]


def hold(conn: psycopg.Connection, until: datetime, **what: object) -> str:
    terms = Terms(Ground.APPEAL, "행정심판법 제23조", until, until)
    return holds.place(conn, terms, AT, **what)  # type: ignore[arg-type]


def is_known(conn: psycopg.Connection, key: str) -> bool:
    return key in ledger.known(conn, [key])


@pytest.mark.parametrize(("state", "term"), [("withdrawn", DAY), ("expired", 35 * DAY), ("consumed", 35 * DAY)])
def test_an_authorisation_ends_at_the_very_instant_and_data_life_counts(
    ledger_conn: psycopg.Connection, state: str, term: timedelta
) -> None:
    """Withdrawn on the next day, expired after 30 days with data life to the 35th, consumed with the same."""
    key, other = granted(ledger_conn), granted(ledger_conn)
    if state == "withdrawn":
        ledger.withdraw(ledger_conn, key, AT + DAY)
    elif state == "consumed":
        ledger.consume(ledger_conn, key, AT + DAY)
    else:
        ledger.withdraw(ledger_conn, other, AT + 30 * DAY)
        ledger.expire_due(ledger_conn, AT + 30 * DAY)
    before = history.history(ledger_conn, key)
    assert end(ledger_conn, min(AT + term, AT + 30 * DAY) - SECOND) == 0 or state == "consumed"
    assert end(ledger_conn, AT + term - SECOND) == (2 if state == "expired" else 0)
    assert is_known(ledger_conn, key)
    assert end(ledger_conn, AT + term) == 2
    assert not is_known(ledger_conn, key)
    after = history.history(ledger_conn, key)
    assert [(e.payload, e.salt, e.is_erased) for e in after] == [(None, None, True)] * 2
    assert [(e.position, e.instant, e.kind, e.subject, e.leaf_hash) for e in after] == [
        (e.position, e.instant, e.kind, e.subject, e.leaf_hash) for e in before
    ]
    assert {e.position for e in after} <= set(ended.emptied(ledger_conn))
    assert end(ledger_conn, AT + term) == 0


def test_what_is_in_force_or_paused_has_no_end(ledger_conn: psycopg.Connection) -> None:
    key = granted(ledger_conn)
    ledger.pause(ledger_conn, key, AT + DAY)
    assert end(ledger_conn, AT + 1000 * DAY) == 0
    assert is_known(ledger_conn, key)
    assert ended.emptied(ledger_conn) == []


@pytest.mark.parametrize("by", ["authorisation", "record"])
@pytest.mark.parametrize("how", ["lifted", "at its end"])
def test_what_a_hold_names_waits_until_the_hold_is_over(ledger_conn: psycopg.Connection, by: str, how: str) -> None:
    key = granted(ledger_conn)
    until = NOW + SECOND if how == "lifted" else NOW
    what = {"authorisation_id": key} if by == "authorisation" else {"subject": (7, "RRT")}
    ledger.withdraw(ledger_conn, key, AT + DAY)
    hold_id = hold(ledger_conn, until, **what)
    if how == "lifted":
        assert end(ledger_conn, AT + DAY) == 0
        holds.lift(ledger_conn, hold_id, AT + 2 * DAY)
    assert end(ledger_conn, AT + DAY) == 2
    assert not is_known(ledger_conn, key)


def test_a_hold_on_another_record_keeps_nothing(ledger_conn: psycopg.Connection) -> None:
    key, other = granted(ledger_conn), granted(ledger_conn)
    for one in (key, other):
        ledger.withdraw(ledger_conn, one, AT + DAY)
    hold(ledger_conn, NOW + DAY, subject=(8, "RRT"))
    hold(ledger_conn, NOW + DAY, subject=(7, "FAMR"))
    assert end(ledger_conn, AT + DAY) == 4


def test_an_authorisation_held_in_one_record_waits_whole(ledger_conn: psycopg.Connection) -> None:
    (key,) = ledger.grant(ledger_conn, [grant(scope(), scope("FAMR"))], AT)
    ledger.withdraw(ledger_conn, key, AT + DAY)
    hold(ledger_conn, NOW + DAY, subject=(7, "FAMR"))
    assert end(ledger_conn, AT + DAY) == 0
    assert ledger.authorisations_of(ledger_conn, 7).num_rows == 2


def test_a_decided_application_goes_with_its_papers_once_its_authorisations_went(
    ledger_conn: psycopg.Connection,
) -> None:
    for name in ("A-1", "A-2"):
        applications.open(ledger_conn, application(name))
        applications.paper(ledger_conn, name, "FAMR", AT)
    key = granted(ledger_conn, application_id="A-1")
    applications.decide(ledger_conn, "A-1", Decision.REFUSED, AT + DAY)
    kinds = [e.kind for e in history.history_of_subject(ledger_conn, "A-1")]
    assert kinds == ["application_opened", "paper_brought", "application_decided"]
    assert end(ledger_conn, AT + 35 * DAY - SECOND) == 0
    assert applications.get(ledger_conn, "A-1")["papers"] == ["FAMR"]
    assert end(ledger_conn, AT + 35 * DAY) == 5
    assert not is_known(ledger_conn, key)
    assert all(e.is_erased for e in history.history_of_subject(ledger_conn, "A-1"))
    left = applications.applications(ledger_conn).column("application_id").to_pylist()
    assert left == ["A-2"], "an open application has no end"
    assert applications.papers(ledger_conn, "A-1") == []
    assert applications.papers(ledger_conn, "A-2") == ["FAMR"]


def test_an_application_without_authorisations_ends_with_its_decision(ledger_conn: psycopg.Connection) -> None:
    applications.open(ledger_conn, Application("A-1", SERVICE.id, SERVICE.recipient, 7, AT))
    applications.decide(ledger_conn, "A-1", Decision.APPROVED, AT + DAY)
    assert end(ledger_conn, AT + DAY - SECOND) == 0
    assert end(ledger_conn, AT + DAY) == 2
    assert applications.applications(ledger_conn).num_rows == 0


def test_the_uses_of_what_ended_go_with_it(ledger_conn: psycopg.Connection) -> None:
    ledger.approve(ledger_conn, approval(), AT)
    gone, stays = ledger.grant(ledger_conn, [standing(cycle="daily"), standing(cycle="daily")], AT)
    uses.mark(ledger_conn, [(gone, "RRT"), (stays, "RRT")], AT)
    ledger.withdraw(ledger_conn, gone, AT + DAY)
    assert end(ledger_conn, AT + DAY) >= 2
    snapshot = ledger.snapshot(ledger_conn)
    assert set(snapshot.uses.column("authorisation_id").to_pylist()) == {stays}
    assert gate.allowed(snapshot, AT + DAY).column("authorisation_id").to_pylist() == [stays]
