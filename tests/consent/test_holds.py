"""A hold keeps what a law says must be kept, for as long as it says, and tells the person (PIPA 21, 37)."""

from dataclasses import replace
from datetime import datetime

import psycopg
import pytest

from consent import bodies, history, holds, ledger, subject_notices
from consent.append import instant_text
from consent.bodies import BodyKind
from consent.errors import ForbiddenTransition
from consent.holds import WORDS, Ground, Terms
from consent.subject_notices import About
from hanbeon.errors import UsageError
from tests.consent.making import AT, DAY, SECOND, grant, scope

TERMS = Terms(Ground.APPEAL, "행정심판법 제23조", AT + 30 * DAY, AT + 10 * DAY)


def authorisation(conn: psycopg.Connection) -> str:
    """Of 7 and 8 with three documents, consented by 9: it is she who is told."""
    scopes = [scope(subject_key=7), scope("FAMR", subject_key=7), scope(subject_key=8)]
    return ledger.grant(conn, [grant(*scopes, grantor_key=9)], AT)[0]


def placed(conn: psycopg.Connection, terms: Terms = TERMS, at: datetime = AT, key: int = 7) -> str:
    return holds.place(conn, terms, at, subject=(key, "RRT"))


def found(conn: psycopg.Connection, hold_id: str) -> holds.Hold:
    (hold,) = holds.holds(conn, hold_id)
    return hold


def test_a_hold_on_an_authorisation_names_its_records_and_tells_the_grantor(ledger_conn: psycopg.Connection) -> None:
    key = authorisation(ledger_conn)
    hold_id = holds.place(ledger_conn, TERMS, AT, authorisation_id=key)
    named = ((7, "FAMR"), (7, "RRT"), (8, "RRT"))
    expected = holds.Hold(
        hold_id, TERMS.ground, TERMS.legal_basis, key, AT, TERMS.valid_until, TERMS.review_at, None, None, named, 0
    )
    assert found(ledger_conn, hold_id) == expected
    (notice,) = subject_notices.notices(ledger_conn)
    assert (notice.subject_key, notice.kind, notice.reference) == (9, About.HOLD_PLACED, hold_id)
    assert notice.texts == (
        "회원님의 FAMR, RRT 기록을 불복 절차(행정심판법 제23조)에 따라 지우지 않고 따로 보관합니다. "
        "기간: 2026-06-01 ~ 2026-07-01. 다시 검토하는 날: 2026-06-11. 그동안 다른 기관에 제공하거나 이용하지 않습니다.",
        "Your records FAMR, RRT are not erased but kept apart, for an appeal (행정심판법 제23조), from 2026-06-01 until"
        " 2026-07-01. To be reviewed on 2026-06-11. Meanwhile they are used for nothing else and given to nobody.",
    )


def test_a_hold_on_a_record_tells_its_subject(ledger_conn: psycopg.Connection) -> None:
    hold = found(ledger_conn, placed(ledger_conn, replace(TERMS, ground=Ground.COURT_ORDER)))
    assert (hold.authorisation_id, hold.scopes, hold.ground) == (None, ((7, "RRT"),), Ground.COURT_ORDER)
    (notice,) = subject_notices.notices(ledger_conn)
    assert (notice.subject_key, notice.words["documents"]) == (7, "RRT")
    assert "a court order" in notice.texts[1]


def test_everybody_concerned_is_told_of_their_own_documents_alone(ledger_conn: psycopg.Connection) -> None:
    statute = grant(scope(), scope("FAMR", subject_key=8), kind="statute", grantor_key=None, evidence=None)
    (key,) = ledger.grant(ledger_conn, [statute], AT)
    holds.place(ledger_conn, TERMS, AT, authorisation_id=key)
    told = {n.subject_key: n.words["documents"] for n in subject_notices.notices(ledger_conn)}
    assert told == {7: "RRT", 8: "FAMR"}


def test_the_log_says_what_is_held_and_since_when_it_is_not(ledger_conn: psycopg.Connection) -> None:
    key = authorisation(ledger_conn)
    hold_id = holds.place(ledger_conn, TERMS, AT, authorisation_id=key)
    holds.lift(ledger_conn, hold_id, AT + DAY)
    opened, lifted = history.history_of_subject(ledger_conn, hold_id)
    assert opened.payload == {
        "hold_id": hold_id,
        "ground": "appeal",
        "legal_basis": TERMS.legal_basis,
        "authorisation_id": key,
        "scopes": [{"subject_key": k, "document_type": d} for k, d in (("7", "FAMR"), ("7", "RRT"), ("8", "RRT"))],
        "valid_until": instant_text(TERMS.valid_until),
        "review_at": instant_text(TERMS.review_at),
    }
    assert [(e.kind, e.instant) for e in (opened, lifted)] == [("hold_placed", AT), ("hold_lifted", AT + DAY)]
    assert lifted.payload == {}
    assert all(event.is_intact for event in (opened, lifted))


@pytest.mark.parametrize(
    ("after", "state"),
    [(0 * DAY, "in force"), (10 * DAY - SECOND, "in force"), (10 * DAY, "review due"),
     (30 * DAY - SECOND, "review due"), (30 * DAY, "ended")],
)  # fmt: skip
def test_a_hold_is_reviewed_then_ends_at_the_very_instant(
    ledger_conn: psycopg.Connection, after: datetime, state: str
) -> None:
    hold_id, at = placed(ledger_conn), AT + after
    assert found(ledger_conn, hold_id).state(at) == state
    is_over = state == "ended"
    assert [h.hold_id for h in holds.ended(ledger_conn, at)] == [hold_id] * is_over
    assert [h.hold_id for h in holds.in_force(ledger_conn, at)] == [hold_id] * (not is_over)


def test_lifting_ends_a_hold_at_once_and_the_first_time_counts(ledger_conn: psycopg.Connection) -> None:
    hold_id, other = placed(ledger_conn), placed(ledger_conn, key=8)
    with pytest.raises(ForbiddenTransition, match="before it began"):
        holds.lift(ledger_conn, hold_id, AT - SECOND)
    holds.lift(ledger_conn, hold_id, AT)
    holds.lift(ledger_conn, hold_id, AT + DAY)
    assert found(ledger_conn, hold_id).lifted_at == AT
    assert found(ledger_conn, hold_id).state(AT) == "ended"
    assert found(ledger_conn, other).state(AT) == "in force"
    assert len(history.history_of_subject(ledger_conn, hold_id)) == 2
    with pytest.raises(UsageError, match="no hold with this id"):
        holds.lift(ledger_conn, "hold-unknown", AT)


def test_holds_are_listed_in_the_order_of_their_last_change(ledger_conn: psycopg.Connection) -> None:
    first, second = placed(ledger_conn), placed(ledger_conn, key=8)
    assert [h.hold_id for h in holds.holds(ledger_conn)] == [first, second]
    assert holds.holds(ledger_conn, "hold-unknown") == []


def test_rows_kept_are_counted_once_and_said_by_ground_and_law(ledger_conn: psycopg.Connection) -> None:
    appeal, court = placed(ledger_conn), placed(ledger_conn, replace(TERMS, ground=Ground.COURT_ORDER), key=8)
    again, empty = placed(ledger_conn, key=9), placed(ledger_conn, replace(TERMS, legal_basis="민법"), key=10)
    for hold_id, name, rows in ((appeal, "a", 2), (appeal, "a", 2), (appeal, "b", 3), (court, "a", 4), (again, "c", 1)):
        holds.kept(ledger_conn, hold_id, name, "gold/x", rows, AT)
    assert [found(ledger_conn, h).rows for h in (appeal, court, again, empty)] == [5, 4, 1, 0]
    law = TERMS.legal_basis
    assert holds.held(ledger_conn, AT) == [
        ("6 rows under a hold (appeal)", law),
        ("4 rows under a hold (court_order)", law),
    ]
    assert holds.subjects_kept(ledger_conn, AT) == {7, 8, 9}
    holds.lift(ledger_conn, court, AT)
    assert holds.subjects_kept(ledger_conn, AT) == {7, 9}
    assert holds.held(ledger_conn, TERMS.valid_until) == []


def test_what_was_destroyed_is_told_then_certified_once(ledger_conn: psycopg.Connection) -> None:
    hold_id, other = (
        holds.place(ledger_conn, TERMS, AT, authorisation_id=authorisation(ledger_conn)),
        placed(ledger_conn),
    )
    holds.lift(ledger_conn, hold_id, AT)
    assert holds.uncertified(ledger_conn) == []
    holds.destroyed(ledger_conn, hold_id, AT + DAY)
    gone = found(ledger_conn, hold_id)
    assert (gone.destroyed_at, gone.state(AT + DAY)) == (AT + DAY, "destroyed")
    assert found(ledger_conn, other).destroyed_at is None
    assert holds.ended(ledger_conn, AT + DAY) == []
    told = [n for n in subject_notices.notices(ledger_conn) if n.kind == About.HOLD_ENDED]
    assert [(n.subject_key, n.reference, n.words["documents"], n.made_at) for n in told] == [
        (9, hold_id, "FAMR, RRT", AT + DAY)
    ]
    assert holds.uncertified(ledger_conn) == [hold_id]
    number = bodies.record_body(ledger_conn, BodyKind.CERTIFICATE, {"kind": "made for a test"})
    holds.certified(ledger_conn, [hold_id], number)
    assert holds.uncertified(ledger_conn) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"legal_basis": " "}, "Name the article"),
        ({"valid_until": AT, "review_at": AT}, "Check the dates"),
        ({"review_at": AT - SECOND}, "Check the dates"),
        ({"review_at": AT + 30 * DAY + SECOND}, "Check the dates"),
        ({"valid_until": datetime(2026, 7, 1)}, "END"),
        ({"review_at": datetime(2026, 6, 7)}, "review"),
    ],
)
def test_terms_that_no_hold_can_have_are_refused(
    ledger_conn: psycopg.Connection, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        placed(ledger_conn, replace(TERMS, **changes))  # type: ignore[arg-type]
    assert holds.holds(ledger_conn) == []
    assert subject_notices.notices(ledger_conn) == []


def test_a_review_may_fall_on_the_first_and_on_the_last_instant(ledger_conn: psycopg.Connection) -> None:
    for review in (AT, TERMS.valid_until):
        assert found(ledger_conn, placed(ledger_conn, replace(TERMS, review_at=review))).review_at == review


def test_a_hold_names_an_authorisation_or_a_record_and_one_that_exists(ledger_conn: psycopg.Connection) -> None:
    with pytest.raises(UsageError, match="one of the two"):
        holds.place(ledger_conn, TERMS, AT)
    key = authorisation(ledger_conn)
    with pytest.raises(UsageError, match="one of the two"):
        holds.place(ledger_conn, TERMS, AT, authorisation_id=key, subject=(7, "RRT"))
    with pytest.raises(UsageError, match="no authorisation with this id"):
        holds.place(ledger_conn, TERMS, AT, authorisation_id="auth-unknown")
    with pytest.raises(UsageError, match="placing"):
        placed(ledger_conn, at=datetime(2026, 6, 1))


def test_every_ground_has_words_in_both_languages() -> None:
    assert set(WORDS) == set(Ground)
