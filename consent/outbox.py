"""What other agencies must be told, until each has said that it received it.

In: a connection, an agency's name, a kind, a body that names nobody. Out: the message's number; and, once the agency's
signed acknowledgement has come, the number of the statement in the log that keeps it (kind 7). The same body to the
same agency is the same message, however often it is sent: its digest is the idempotency key of every call.

    number = send(conn, "mois", "erasure_certificate", body, at, due)
    acknowledge(conn, trust, number, token, at)
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from consent.append import canonical, instant_text
from consent.bodies import BodyKind, record_body
from consent.model import need_instant
from consent.trust import Trust, signed_by_partner
from hanbeon.errors import IntegrityError, UsageError

TABLES = """
create table if not exists outbox (
    number bigint generated always as identity primary key,
    to_agency text not null check (to_agency <> ''),
    kind text not null check (kind <> ''),
    body text not null,  -- canonical JSON: the very bytes that the digest was taken over
    digest bytea not null check (length(digest) = 32),
    made_at timestamptz not null check (isfinite(made_at)),
    due_at timestamptz not null check (isfinite(due_at)),
    acknowledged_at timestamptz,
    acknowledgement bigint references log_bodies,
    check ((acknowledged_at is null) = (acknowledgement is null)),
    unique (to_agency, kind, digest)
);
create index if not exists outbox_waiting on outbox (due_at) where acknowledged_at is null;
"""
CERTIFICATE = "erasure_certificate"
LONGEST_TOKEN = 8_192
_COLUMNS = "number, to_agency, kind, body, digest, made_at, due_at, acknowledged_at, acknowledgement"


@dataclass(frozen=True)
class Message:
    """`acknowledgement` is the number of the statement in the log that keeps the agency's signed answer."""

    number: int
    to_agency: str
    kind: str
    body: Mapping[str, Any]
    digest: bytes
    made_at: datetime
    due_at: datetime
    acknowledged_at: datetime | None = None
    acknowledgement: int | None = None

    def is_overdue(self, at: datetime) -> bool:
        return self.acknowledged_at is None and self.due_at <= at


def send(
    conn: psycopg.Connection, to_agency: str, kind: str, body: Mapping[str, Any], at: datetime, due: datetime
) -> int:
    """Queue a message; its number. Committed on return, or with the caller's transaction. Said again: the same one."""
    need_instant(at, "The instant of a message")
    need_instant(due, "The instant by which a message must be acknowledged")
    if due < at:
        raise UsageError("A message cannot be due before it is made. Check the instants.")
    text = canonical(body)
    with conn.transaction():
        conn.execute(
            "insert into outbox (to_agency, kind, body, digest, made_at, due_at) values (%s, %s, %s, %s, %s, %s)"
            " on conflict do nothing",
            [to_agency, kind, text.decode(), hashlib.sha256(text).digest(), at, due],
        )
        row = conn.execute(
            "select number from outbox where to_agency = %s and kind = %s and digest = %s",
            [to_agency, kind, hashlib.sha256(text).digest()],
        ).fetchone()
    assert row is not None
    return int(row[0])


def acknowledge(conn: psycopg.Connection, trust: Trust, number: int, token: str, at: datetime) -> int:
    """Keep the agency's signed answer in the log; the statement's number. Said again, it changes nothing.

    `token` is a compact JWS of the addressee (`trust.partners`) whose claims name us (`aud`), the message's `kind` and
    the `digest` of its body in hexadecimal. Raises IntegrityError when it proves something else.
    """
    need_instant(at, "The instant of an acknowledgement")
    with conn.transaction():
        row = conn.execute(f"select {_COLUMNS} from outbox where number = %s for update", [number]).fetchone()
        if row is None:
            raise UsageError("There is no message with this number. `hanbeon outbox` lists them.")
        message = _message(row)
        if message.acknowledgement is not None:
            return message.acknowledgement
        _need_answer(trust, message, token)
        body = {
            "kind": message.kind,
            "by": message.to_agency,
            "message": number,
            "digest": message.digest.hex(),
            "acknowledged_at": instant_text(at),
            "token": token,
        }
        statement = record_body(conn, BodyKind.ACKNOWLEDGEMENT, body)
        conn.execute(
            "update outbox set acknowledged_at = %s, acknowledgement = %s where number = %s", [at, statement, number]
        )
    return statement


def messages(conn: psycopg.Connection) -> list[Message]:
    """Every message, oldest first."""
    return _listed(conn, "true", [])


def waiting(conn: psycopg.Connection) -> list[Message]:
    """What nobody has acknowledged yet, oldest first."""
    return _listed(conn, "acknowledged_at is null", [])


def overdue(conn: psycopg.Connection, at: datetime) -> list[Message]:
    """What should have been acknowledged by now and was not, oldest first."""
    return _listed(conn, "acknowledged_at is null and due_at <= %s", [at])


def _listed(conn: psycopg.Connection, condition: str, values: list[datetime]) -> list[Message]:
    with conn.transaction():
        rows = conn.execute(f"select {_COLUMNS} from outbox where {condition} order by number", values).fetchall()
    return [_message(row) for row in rows]


def _message(row: tuple[Any, ...]) -> Message:
    number, to_agency, kind, body, digest, *rest = row
    return Message(number, to_agency, kind, json.loads(body), bytes(digest), *rest)


def _need_answer(trust: Trust, message: Message, token: str) -> None:
    if len(token) > LONGEST_TOKEN:
        raise IntegrityError("The acknowledgement is longer than any. Ask the agency for its signed answer.")
    agency, claims = signed_by_partner(trust, token)
    said = (agency, claims.get("aud"), claims.get("kind"), claims.get("digest"))
    if said != (message.to_agency, trust.origin, message.kind, message.digest.hex()):
        raise IntegrityError(
            "The acknowledgement is another agency's, or about another message. Ask the addressee for its own."
        )
