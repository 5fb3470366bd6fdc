"""What citizens must be told: owed once, with its day, in two languages, and kept when it was done (Decree 49)."""

from datetime import timedelta

import psycopg
import pytest

from consent import ledger, subject_notices
from consent.model import Kind
from consent.subject_notices import TEXTS, About, owe, owe_for_statute
from consent.workdays import term_ends
from hanbeon.errors import UsageError
from tests.consent.making import AT, DAY, grant, scope


def statute(conn: psycopg.Connection) -> str:
    given = grant(scope(subject_key=7), scope(subject_key=8), kind=Kind.STATUTE, grantor_key=None, evidence=None)
    return ledger.grant(conn, [given], AT)[0]


def test_who_was_not_asked_is_told_once_for_each_ground_and_document(ledger_conn: psycopg.Connection) -> None:
    key = statute(ledger_conn)
    assert owe_for_statute(ledger_conn, [(7, key)], "RRT", AT) == 1
    assert owe_for_statute(ledger_conn, [(7, key)], "RRT", AT + DAY) == 1
    (found,) = subject_notices.notices(ledger_conn)
    assert (found.subject_key, found.kind, found.due_at) == (7, About.STATUTE_USED, term_ends(AT, 10))
    assert "2026-06-01" in found.texts[0]
    assert "without consent" in found.texts[1]


def test_who_consented_is_not_told(ledger_conn: psycopg.Connection) -> None:
    key = ledger.grant(ledger_conn, [grant(scope(subject_key=7))], AT)[0]
    assert owe_for_statute(ledger_conn, [(7, key)], "RRT", AT) == 0
    assert owe_for_statute(ledger_conn, [], "RRT", AT) == 0
    assert subject_notices.notices(ledger_conn) == []


def test_a_notice_is_open_then_overdue_then_done_and_the_first_delivery_stays(ledger_conn: psycopg.Connection) -> None:
    owe_for_statute(ledger_conn, [(7, statute(ledger_conn))], "RRT", AT)
    (found,) = subject_notices.notices(ledger_conn, is_open=True)
    assert not found.is_overdue(found.due_at - timedelta(seconds=1))
    assert found.is_overdue(found.due_at)
    subject_notices.done(ledger_conn, found.number, "letter", AT + DAY)
    subject_notices.done(ledger_conn, found.number, "again", AT + 2 * DAY)
    assert subject_notices.notices(ledger_conn, is_open=True) == []
    (after,) = subject_notices.notices(ledger_conn)
    assert (after.done_at, after.done_how) == (AT + DAY, "letter")
    assert not after.is_overdue(after.due_at)


@pytest.mark.parametrize(("number", "how"), [(99, "letter"), (1, " "), (1, "x" * 201)])
def test_a_delivery_names_a_notice_and_how_in_a_few_words(
    ledger_conn: psycopg.Connection, number: int, how: str
) -> None:
    owe_for_statute(ledger_conn, [(7, statute(ledger_conn))], "RRT", AT)
    with pytest.raises(UsageError):
        subject_notices.done(ledger_conn, number, how, AT)
    subject_notices.done(ledger_conn, 1, "x" * 200, AT)


def test_a_notice_whose_words_are_missing_is_not_queued(ledger_conn: psycopg.Connection) -> None:
    with pytest.raises(KeyError):
        owe(ledger_conn, 7, About.STATUTE_USED, "auth", {"recipient": "mogef"}, AT)
    assert set(TEXTS) == set(About)
