"""Disputes: a citizen says that a record is wrong, and demands its correction of the holder (PIPA 36, Decree 43).

In: a connection, whose record of which document, which columns, and what is claimed. Out: the dispute's id. The claim
may say anything about a person: it rests encrypted to the holder alone, and goes with the first message to it. The
holder answers within ten days: upheld, or refused with the reason and the way to appeal. That the record was corrected
is believed when the holder's next delivery brings a changed one. Each step is one event in the ledger.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from consent import append as log
from consent import handovers, outbox
from consent.errors import ForbiddenTransition
from consent.ids import new_id
from consent.model import need_instant
from consent.subject_notices import TERM_DAYS, About, owe
from consent.trust import Trust
from consent.workdays import term_ends
from hanbeon.errors import UsageError

KIND, CORRECTED = "correction_demand", "record_corrected"
LONGEST_CLAIM = 4_000
TABLES = """
create table if not exists disputes (
    dispute_id text primary key,
    subject_key bigint not null,
    told_key bigint not null,
    document_type text not null,
    holder text not null,
    columns text[] not null check (cardinality(columns) > 0),
    sealed text,  -- the claim, a compact JWE for the holder; none once it is answered
    record_hashes bytea[] not null,  -- of the holder's records as they were when it was opened
    message bigint,  -- of the outbox
    state text not null check (state in ('open', 'upheld', 'refused', 'corrected')),
    opened_at timestamptz not null,
    due_at timestamptz not null,
    answered_at timestamptz,
    reason text,
    appeal text,
    corrected_at timestamptz,
    ledger_position bigint not null,
    check ((state = 'refused') = (reason is not null))
);
create index if not exists disputes_uncorrected on disputes (document_type) where state in ('open', 'upheld');
"""
_COLUMNS = (
    "dispute_id, subject_key, told_key, document_type, holder, columns, record_hashes, state, opened_at, due_at,"
    " answered_at, reason, appeal, corrected_at"
)


@dataclass(frozen=True)
class Record:
    """Whose record of which document. `hashes` are keyed hashes of the holder's records as the lake has them now."""

    subject_key: int
    told_key: int
    document_type: str
    holder: str
    hashes: tuple[bytes, ...]


@dataclass(frozen=True)
class Dispute:
    dispute_id: str
    subject_key: int
    told_key: int
    document_type: str
    holder: str
    columns: tuple[str, ...]
    record_hashes: frozenset[bytes]
    state: str
    opened_at: datetime
    due_at: datetime
    answered_at: datetime | None
    reason: str | None
    appeal: str | None
    corrected_at: datetime | None

    def is_overdue(self, at: datetime) -> bool:
        return self.answered_at is None and self.corrected_at is None and self.due_at <= at


def open(
    conn: psycopg.Connection, trust: Trust, record: Record, columns: Sequence[str], claim: str, at: datetime
) -> str:
    """Record the demand and queue it for the holder: both or neither; the dispute's id."""
    need_instant(at, "The instant of a dispute")
    if not columns or not claim.strip() or len(claim) > LONGEST_CLAIM:
        raise UsageError(f"A dispute names columns and says what is claimed, in at most {LONGEST_CLAIM} characters.")
    key, sealed, due = new_id("disp"), handovers.seal(trust, record.holder, claim), term_ends(at, TERM_DAYS)
    body = {
        "dispute": key,
        "document_type": record.document_type,
        "columns": list(columns),
        "content_digest": hashlib.sha256(sealed.encode()).hexdigest(),
        "answer_due": log.instant_text(due),
    }
    payload = {"subject_key": str(record.subject_key), **{n: body[n] for n in ("document_type", "columns")}}
    with conn.transaction():
        newest = log.lock(conn)
        positions = log.append(conn, newest, [log.entry("dispute_opened", key, payload)], at)
        message = outbox.send(conn, record.holder, KIND, body, at, due)
        conn.execute(
            "insert into disputes (dispute_id, subject_key, told_key, document_type, holder, columns, sealed,"
            " record_hashes, message, state, opened_at, due_at, ledger_position)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'open', %s, %s, %s)",
            [key, record.subject_key, record.told_key, record.document_type, record.holder, list(columns), sealed,
             list(record.hashes), message, at, due, positions[0]],
        )  # fmt: skip
    return key


def content_of(conn: psycopg.Connection, message: int) -> str | None:
    """The sealed claim that goes with a message, or None once the holder has answered."""
    with conn.transaction():
        row = conn.execute("select sealed from disputes where message = %s", [message]).fetchone()
    return None if row is None else row[0]


def uphold(conn: psycopg.Connection, dispute_id: str, at: datetime) -> None:
    """The holder agrees; its corrected record is expected. Said again, it changes nothing."""
    _answer(conn, dispute_id, "upheld", at, None, None)


def refuse(conn: psycopg.Connection, dispute_id: str, reason: str, appeal: str, at: datetime) -> None:
    """The holder refuses; the citizen is told why, and how to appeal. Said again, it changes nothing."""
    if not reason.strip() or not appeal.strip():
        raise UsageError("A refusal says why, and how the citizen can appeal (PIPA Decree 43). Give both.")
    _answer(conn, dispute_id, "refused", at, reason, appeal)


def _answer(
    conn: psycopg.Connection, dispute_id: str, state: str, at: datetime, reason: str | None, appeal: str | None
) -> None:
    need_instant(at, "The instant of an answer")
    with conn.transaction():
        newest = log.lock(conn)
        found = disputes(conn, dispute_id)
        if not found:
            raise UsageError("There is no dispute with this id. `hanbeon dispute list` shows them.")
        before = found[0]
        if before.state == state or before.state == "corrected":
            return
        if before.state != "open":
            raise ForbiddenTransition(f"This dispute is {before.state} already. A new claim is a new dispute.")
        positions = log.append(conn, newest, [log.entry("dispute_answered", dispute_id, {"answer": state})], at)
        conn.execute(
            "update disputes set state = %s, answered_at = %s, reason = %s, appeal = %s, sealed = null,"
            " ledger_position = %s where dispute_id = %s",
            [state, at, reason, appeal, positions[0], dispute_id],
        )
        words = {
            "holder": before.holder,
            "answer_ko": "받아들임" if state == "upheld" else "거절",
            "answer_en": state,
            "reason": reason or "",
            "appeal": appeal or "-",
        }
        owe(conn, before.told_key, About.DISPUTE_ANSWERED, dispute_id, words, at)


def correct(conn: psycopg.Connection, dispute_id: str, recipients: Collection[str], at: datetime) -> list[int]:
    """The holder's record has changed: tell the citizen, and whoever has or was handed the old one; the messages."""
    with conn.transaction():
        newest = log.lock(conn)
        (before,) = disputes(conn, dispute_id)
        if before.state not in ("open", "upheld"):
            return []
        positions = log.append(conn, newest, [log.entry("dispute_corrected", dispute_id, {})], at)
        conn.execute(
            "update disputes set state = 'corrected', corrected_at = %s, sealed = null, ledger_position = %s"
            " where dispute_id = %s",
            [at, positions[0], dispute_id],
        )
        words = {"documents": before.document_type, "holder": before.holder}
        owe(conn, before.told_key, About.RECORD_CORRECTED, dispute_id, words, at)
        due = term_ends(at, TERM_DAYS)
        return [
            outbox.send(conn, recipient, CORRECTED, _correction(conn, before, recipient), at, due)
            for recipient in sorted(recipients)
        ]


def _correction(conn: psycopg.Connection, dispute: Dispute, recipient: str) -> dict[str, object]:
    """A recipient finds the old record by the authorisations under which it got it."""
    rows = conn.execute(
        "select distinct authorisation_id from authorisations"
        " where subject_key = %s and document_type = %s and recipient = %s order by 1",
        [dispute.subject_key, dispute.document_type, recipient],
    ).fetchall()
    return {
        "dispute": dispute.dispute_id,
        "document_type": dispute.document_type,
        "columns": list(dispute.columns),
        "authorisations": [row[0] for row in rows],
    }


def recipients_of(conn: psycopg.Connection, dispute: Dispute) -> list[str]:
    """Whoever reads the record in a share now, or was handed it with a decision."""
    with conn.transaction():
        rows = conn.execute(
            "select distinct a.recipient from authorisations as a where a.subject_key = %s and a.document_type = %s"
            " and (a.state in ('granted', 'paused') or exists (select from handovers as h where"
            " a.authorisation_id = any(h.authorisation_ids) and h.document_type = a.document_type)) order by 1",
            [dispute.subject_key, dispute.document_type],
        ).fetchall()
    return [row[0] for row in rows]


def disputes(conn: psycopg.Connection, dispute_id: str | None = None) -> list[Dispute]:
    """Every dispute, oldest first, or one."""
    with conn.transaction():
        rows = conn.execute(
            f"select {_COLUMNS} from disputes where %(id)s::text is null or dispute_id = %(id)s"
            " order by opened_at, dispute_id",
            {"id": dispute_id},
        ).fetchall()
    return [_dispute(row) for row in rows]


def _dispute(row: Sequence[Any]) -> Dispute:
    key, subject, told, document_type, holder, columns, hashes, *rest = row
    own = frozenset(bytes(h) for h in hashes)
    return Dispute(key, subject, told, document_type, holder, tuple(columns), own, *rest)
