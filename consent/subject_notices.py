"""What a citizen must be told, by when, and when it was done.

In: a connection, who is to be told, of what kind, and words that hold no personal value. Out: the notice's number, and
its text in Korean and English. Hanbeon has no address of anybody: the operator's channel (electronic document, letter)
delivers, and whoever did says so with `done`. What is owed once is owed once, however often it is said.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import psycopg

from consent.append import canonical
from consent.model import need_instant
from consent.workdays import term_ends
from hanbeon.clock import seoul_text
from hanbeon.errors import UsageError

TERM_DAYS = 10
TABLES = """
create table if not exists subject_notices (
    number bigint generated always as identity primary key,
    subject_key bigint not null,
    kind text not null,
    reference text not null,  -- the id of what it is about
    words json not null,
    made_at timestamptz not null,
    due_at timestamptz not null check (isfinite(due_at)),
    done_at timestamptz,
    done_how text,
    check ((done_at is null) = (done_how is null)),
    unique (subject_key, kind, reference)
);
create index if not exists subject_notices_open on subject_notices (due_at) where done_at is null;
"""


class About(StrEnum):
    HOLD_PLACED = "hold_placed"  # PIPA 21 (3), 37
    HOLD_ENDED = "hold_ended"
    STATUTE_USED = "statute_used"  # e-Gov Act 42 (2), Decree 49
    DISPUTE_ANSWERED = "dispute_answered"  # PIPA 36, Decree 43 (3)
    RECORD_CORRECTED = "record_corrected"


TEXTS: Mapping[About, tuple[str, str]] = {
    About.HOLD_PLACED: (
        "회원님의 {documents} 기록을 {ground_ko}({law})에 따라 지우지 않고 따로 보관합니다. 기간: {since} ~ {until}. "
        "다시 검토하는 날: {review}. 그동안 다른 기관에 제공하거나 이용하지 않습니다.",
        "Your records {documents} are not erased but kept apart, for {ground_en} ({law}), from {since} until {until}. "
        "To be reviewed on {review}. Meanwhile they are used for nothing else and given to nobody.",
    ),
    About.HOLD_ENDED: (
        "따로 보관하던 {documents} 기록의 보관 사유가 끝났습니다. 다음 파기 때 없앱니다.",
        "The reason to keep your records {documents} apart is over. They are destroyed with the next erasure.",
    ),
    About.STATUTE_USED: (
        "{recipient}에서 {law}에 따라 회원님의 {documents} 정보를 {used}에 동의 없이 이용하였습니다. 목적: {purpose}.",
        "{recipient} used your {documents} on {used} without consent, as {law} allows. Purpose: {purpose}.",
    ),
    About.DISPUTE_ANSWERED: (
        "정정 요구({reference})에 대한 {holder}의 답변: {answer_ko}. {reason} 다르게 생각하시면: {appeal}.",
        "Answer of {holder} to your request for correction ({reference}): {answer_en}. {reason} To object: {appeal}.",
    ),
    About.RECORD_CORRECTED: (
        "정정을 요구하신 {documents} 기록을 {holder}에서 고친 것이 확인되었습니다. 이미 받은 기관에도 알립니다.",
        "{holder} has corrected the record {documents} that you disputed. Whoever received the old one is told.",
    ),
}


@dataclass(frozen=True)
class Notice:
    number: int
    subject_key: int
    kind: About
    reference: str
    words: Mapping[str, Any]
    made_at: datetime
    due_at: datetime
    done_at: datetime | None
    done_how: str | None

    def is_overdue(self, at: datetime) -> bool:
        return self.done_at is None and self.due_at <= at

    @property
    def texts(self) -> tuple[str, str]:
        """In Korean, in English."""
        korean, english = TEXTS[self.kind]
        words = {**self.words, "reference": self.reference}
        return korean.format(**words), english.format(**words)


def owe(
    conn: psycopg.Connection,
    subject_key: int,
    kind: About,
    reference: str,
    words: Mapping[str, str],
    at: datetime,
    days: int = TERM_DAYS,
) -> None:
    """Somebody is to be told within the term, which runs from `at`. Said again, it changes nothing."""
    need_instant(at, "The instant of a notice")
    TEXTS[kind][0].format(**words, reference=reference)
    TEXTS[kind][1].format(**words, reference=reference)
    with conn.transaction():
        conn.execute(
            "insert into subject_notices (subject_key, kind, reference, words, made_at, due_at)"
            " values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
            [subject_key, str(kind), reference, canonical(words).decode(), at, term_ends(at, days)],
        )


def owe_for_statute(
    conn: psycopg.Connection, brought: Iterable[tuple[int, str]], document_type: str, at: datetime
) -> int:
    """Tell whose records came on a statutory ground, which they were not asked for: once for each ground and document.

    `brought` are (subject key, authorisation) of what a pull brought. Returns how many statutory ones there were.
    """
    pairs = sorted(set(brought))
    with conn.transaction():
        rows = conn.execute(
            "select a.subject_key, a.authorisation_id, a.recipient, a.legal_basis, a.purpose"
            " from unnest(%s::bigint[], %s::text[]) as b (subject_key, authorisation_id)"
            " inner join authorisations as a using (subject_key, authorisation_id)"
            " where a.kind = 'statute' and a.document_type = %s order by 1, 2",
            [[key for key, _ in pairs], [one for _, one in pairs], document_type],
        ).fetchall()
        for subject_key, authorisation_id, recipient, law, purpose in rows:
            words = {
                "recipient": recipient,
                "law": law,
                "purpose": purpose,
                "documents": document_type,
                "used": day(at),
            }
            owe(conn, subject_key, About.STATUTE_USED, f"{authorisation_id} {document_type}", words, at)
    return len(rows)


def done(conn: psycopg.Connection, number: int, how: str, at: datetime) -> None:
    """It was delivered, in this way. Said again, the first time stays."""
    need_instant(at, "The instant of a delivery")
    if not how.strip() or len(how) > 200:
        raise UsageError("Say in a few words how the notice was delivered, such as letter or electronic document.")
    with conn.transaction():
        found = conn.execute(
            "update subject_notices set done_at = coalesce(done_at, %s), done_how = coalesce(done_how, %s)"
            " where number = %s returning number",
            [at, how.strip(), number],
        ).fetchone()
    if found is None:
        raise UsageError("There is no notice with this number. `hanbeon notices list` shows them.")


def notices(conn: psycopg.Connection, *, is_open: bool = False, number: int | None = None) -> list[Notice]:
    """Every notice, or those that are still to be delivered, in the order in which they fall due."""
    with conn.transaction():
        rows = conn.execute(
            "select number, subject_key, kind, reference, words::text, made_at, due_at, done_at, done_how"
            " from subject_notices where (not %s or done_at is null) and (%s::bigint is null or number = %s)"
            " order by due_at, number",
            [is_open, number, number],
        ).fetchall()
    return [Notice(n, key, About(kind), ref, json.loads(words), *rest) for n, key, kind, ref, words, *rest in rows]


def day(instant: datetime) -> str:
    """A day as a notice says it."""
    return seoul_text(instant)[:10]
