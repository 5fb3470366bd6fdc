"""Approvals: the sharing agreements without which no authorisation lets anything flow (e-Gov Act 39, 41).

In: a connection, an `Approval` or its id, and when. Out: the id. Each change is one ledger event.
"""

from datetime import datetime
from typing import Any

import psycopg
import pyarrow as pa

from consent import append as log
from consent.errors import ForbiddenTransition
from consent.ids import new_id
from consent.model import APPROVAL_TRANSITIONS, Approval, ApprovalState
from consent.shareable import need_shareable
from consent.snapshot import read
from hanbeon.errors import UsageError

GIVEN = "holder, recipient, document_type, purpose, legal_basis, storage, valid_from, valid_until"


def approve(conn: psycopg.Connection, approval: Approval, at: datetime) -> str:
    """Record an approval; returns its id. The same approval under the same id again changes nothing."""
    key = approval.approval_id or new_id("appr")
    given = [getattr(approval, name) for name in GIVEN.split(", ")]
    need_shareable([approval.document_type])
    with conn.transaction():
        newest = log.lock(conn)
        known = conn.execute(f"select {GIVEN}, state from approvals where approval_id = %s", [key]).fetchone()
        if known is not None:
            if list(known) == [*given, str(ApprovalState.ACTIVE)]:
                return key
            raise ForbiddenTransition(f"Approval {key} is in the ledger with other terms or no longer active.")
        payload: dict[str, Any] = {
            name: log.instant_text(v) if isinstance(v, datetime) else v
            for name, v in zip(GIVEN.split(", "), given, strict=True)
        }
        payload |= {"approval_id": key} | ({"reference": approval.reference} if approval.reference else {})
        positions = log.append(conn, newest, [log.entry("approval_granted", key, payload)], at)
        conn.execute(
            f"insert into approvals (approval_id, {GIVEN}, state, state_at, ledger_position)"
            f" values ({', '.join(['%s'] * (len(given) + 4))})",
            [key, *given, str(ApprovalState.ACTIVE), at, positions[0]],
        )
    return key


def suspend_approval(conn: psycopg.Connection, approval_id: str, at: datetime) -> None:
    """What rests on it stops flowing at once (e-Gov Act 41)."""
    _change(conn, approval_id, "approval_suspended", at)


def resume_approval(conn: psycopg.Connection, approval_id: str, at: datetime) -> None:
    _change(conn, approval_id, "approval_resumed", at)


def end_approval(conn: psycopg.Connection, approval_id: str, at: datetime) -> None:
    _change(conn, approval_id, "approval_ended", at)


def approvals(conn: psycopg.Connection) -> pa.Table:
    """Every approval, with the columns of `ledger/approvals`."""
    return read(conn, "approvals")


def _change(conn: psycopg.Connection, approval_id: str, event: str, at: datetime) -> None:
    with conn.transaction():
        newest = log.lock(conn)
        found = conn.execute("select state from approvals where approval_id = %s", [approval_id]).fetchone()
        if found is None:
            raise UsageError("There is no approval with this id. `hanbeon approval list` shows them.")
        state = ApprovalState(found[0])
        after = APPROVAL_TRANSITIONS.get((state, event))
        if after is None:
            if APPROVAL_TRANSITIONS.get((ApprovalState.ACTIVE, event)) is state:
                return  # said again: a retry
            raise ForbiddenTransition(f"This approval is {state}; {event.replace('_', ' ')} does not follow.")
        positions = log.append(conn, newest, [log.entry(event, approval_id, {})], at)
        conn.execute(
            "update approvals set state = %s, state_at = %s, ledger_position = %s where approval_id = %s",
            [str(after), at, positions[0], approval_id],
        )
