"""Evidence on its way to a recipient's case file: sealed for the recipient from the decision until it is acknowledged.

In: a connection, what a decision rested on as a signed document, and whom it is for. Out: the hand-over's number. The
document is encrypted to the recipient's own key (JWE, ECDH-ES on X25519 with AES-256-GCM) before it is stored, so that
nobody here can read what waits (P8, P10); the outbox holds only its digest. The ciphertext is destroyed once the
recipient acknowledged, the citizen withdrew, or its data life is over: whatever comes first.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from joserfc import jwe
from joserfc.jwk import OKPKey

from consent import outbox
from consent.trust import Trust, encryption_key

KIND = "evidence_handover"
HEADER = {"alg": "ECDH-ES", "enc": "A256GCM", "typ": "evidence-handover+jwe"}
TABLES = """
create table if not exists handovers (
    number bigint generated always as identity primary key,
    application_id text not null,
    document_type text not null,
    holder text not null,
    recipient text not null,
    authorisation_ids text[] not null check (cardinality(authorisation_ids) > 0),
    message bigint,  -- of the outbox
    sealed text,  -- compact JWE for the recipient; none once it ended
    keep_until timestamptz not null check (isfinite(keep_until)),
    made_at timestamptz not null,
    ended_at timestamptz,
    outcome text check (outcome in ('acknowledged', 'withdrawn', 'lapsed')),
    check ((sealed is null) = (ended_at is not null)),
    check ((ended_at is null) = (outcome is null)),
    unique (application_id, document_type)
);
create index if not exists handovers_waiting on handovers (message) where sealed is not null;
"""
ENDED = """
with ending as (
    select
        h.number, h.message,
        case
            when m.acknowledged_at is not null then 'acknowledged'
            when exists (
                select from authorisations as a
                where a.authorisation_id = any(h.authorisation_ids) and a.state = 'withdrawn'
            ) then 'withdrawn'
            when h.keep_until <= %(at)s then 'lapsed'
        end as outcome
    from handovers as h inner join outbox as m on m.number = h.message
    where h.sealed is not null
),
ended as (
    update handovers as h set sealed = null, ended_at = %(at)s, outcome = ending.outcome
    from ending
    where h.number = ending.number and ending.outcome is not null
    returning h.message, h.outcome
)
delete from outbox using ended
where outbox.number = ended.message and ended.outcome <> 'acknowledged' and outbox.acknowledged_at is null
"""
# Suspended agreements let nothing through, what was decided before included (e-Gov Act 41).
READY = """
select h.sealed from handovers as h
where h.message = %(message)s and h.sealed is not null and exists (
    select from approvals as p
    where (p.holder, p.recipient, p.document_type) = (h.holder, h.recipient, h.document_type)
        and p.state = 'active' and p.valid_from <= %(at)s and %(at)s < p.valid_until
)
"""


@dataclass(frozen=True)
class Sending:
    """One document for one recipient. `token` is the signed document (compact JWS) in clear: in memory only."""

    application_id: str
    document_type: str
    holder: str
    recipient: str
    authorisation_ids: tuple[str, ...]
    token: str
    keep_until: datetime


@dataclass(frozen=True)
class Handover:
    """`outcome` is None while it waits. `due_at` is None once nobody is asked any more."""

    number: int
    application_id: str
    document_type: str
    recipient: str
    made_at: datetime
    due_at: datetime | None
    outcome: str | None
    ended_at: datetime | None

    def is_overdue(self, at: datetime) -> bool:
        return self.outcome is None and self.due_at is not None and self.due_at <= at


def seal(trust: Trust, recipient: str, token: str) -> str:
    """The document for the recipient's eyes alone. Raises DependencyDown when its key is not known."""
    key = OKPKey.import_key(dict(encryption_key(trust, recipient)))
    return jwe.encrypt_compact({**HEADER, "kid": key.thumbprint()}, token.encode(), key)


def queue(conn: psycopg.Connection, trust: Trust, given: Sequence[Sending], at: datetime, due: datetime) -> list[int]:
    """Queue documents for their recipients, in the caller's transaction; their numbers. Once for each application and
    document: what was queued before stays as it is."""
    numbers = []
    for one in given:
        sealed = seal(trust, one.recipient, one.token)
        row = conn.execute(
            "insert into handovers (application_id, document_type, holder, recipient, authorisation_ids, sealed,"
            " keep_until, made_at) values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing returning number",
            [one.application_id, one.document_type, one.holder, one.recipient, list(one.authorisation_ids), sealed,
             one.keep_until, at],
        ).fetchone()  # fmt: skip
        if row is None:
            continue
        body = {"handover": row[0], "content_digest": hashlib.sha256(sealed.encode()).hexdigest()}
        message = outbox.send(conn, one.recipient, KIND, body, at, due)
        conn.execute("update handovers set message = %s where number = %s", [message, row[0]])
        numbers.append(int(row[0]))
    return numbers


def content_of(conn: psycopg.Connection, message: int, at: datetime) -> str | None:
    """The ciphertext that goes with a message, or None: it ended, or its agreement is suspended now."""
    with conn.transaction():
        row = conn.execute(READY, {"message": message, "at": at}).fetchone()
    return None if row is None else str(row[0])


def settle(conn: psycopg.Connection, at: datetime) -> None:
    """Destroy the ciphertext of what ended, and ask nobody for what was withdrawn or lapsed. Repeatable."""
    with conn.transaction():
        conn.execute(ENDED, {"at": at})


def handovers(conn: psycopg.Connection, application_id: str | None = None) -> list[Handover]:
    """Every hand-over, or those of one application, oldest first. None of them names anybody."""
    with conn.transaction():
        rows = conn.execute(
            "select h.number, h.application_id, h.document_type, h.recipient, h.made_at, m.due_at, h.outcome,"
            " h.ended_at from handovers as h left join outbox as m on m.number = h.message"
            " where %(id)s::text is null or h.application_id = %(id)s order by h.number",
            {"id": application_id},
        ).fetchall()
    return [Handover(*row) for row in rows]
