"""The ledger's present state about one subject alone, so that one read costs one subject's rows, not everybody's.

In: a connection, and a subject key or an application's id. Out: a `Snapshot` for the gate, in one transaction.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from consent.snapshot import Snapshot, read


def snapshot_of_subject(conn: psycopg.Connection, subject_key: int) -> Snapshot:
    """Every authorisation about the subject, and every application of it or that names it as a member."""
    with _still(conn) as position:
        own = _among("subject_key", [subject_key])
        applied = sql.SQL("{} or {} = any(member_keys)").format(
            _among("applicant_key", [subject_key]), sql.Literal(subject_key)
        )
        return _of(conn, position, [subject_key], own, applied)


def snapshot_of_application(conn: psycopg.Connection, application_id: str) -> Snapshot | None:
    """One application, and every authorisation for it or of its household; None when there is no such application.

    For it may be one about what the applicant or a member owns.
    """
    with _still(conn) as position:
        own = sql.SQL("application_id = {}").format(sql.Literal(application_id))
        found = read(conn, "applications", own).to_pylist()
        if not found:
            return None
        keys = [found[0]["applicant_key"], *(found[0]["member_keys"] or ())]
        named = [_among("subject_key", keys), _among("grantor_key", keys), own]
        return _of(conn, position, keys, sql.SQL(" or ").join(named), own)


def _of(
    conn: psycopg.Connection,
    position: int,
    keys: Sequence[int],
    authorised: sql.Composable,
    applied: sql.Composable,
) -> Snapshot:
    found = read(conn, "applications", applied)
    ids = sql.Literal(found.column("application_id").to_pylist())
    authorisations = read(conn, "authorisations", authorised)
    concerned = {k for name in ("_subject_key", "_grantor_key") for k in authorisations[name].to_pylist()}
    people = sql.Literal(sorted({*keys, *concerned} - {None}))
    own = sql.Literal(sorted(set(authorisations["authorisation_id"].to_pylist())))
    return Snapshot(
        position=position,
        authorisations=authorisations,
        approvals=read(conn, "approvals"),
        applications=found,
        papers=read(conn, "papers", sql.SQL("application_id = any({}::text[])").format(ids)),
        blocks=read(conn, "blocks"),
        representations=read(conn, "representations", sql.SQL("represented_key = any({}::bigint[])").format(people)),
        deaths=read(conn, "deaths", sql.SQL("subject_key = any({}::bigint[])").format(people)),
        uses=read(conn, "uses", sql.SQL("authorisation_id = any({}::text[])").format(own)),
    )


def _among(column: str, keys: Sequence[int]) -> sql.Composable:
    return sql.SQL("{} = any({}::bigint[])").format(sql.Identifier(column), sql.Literal(list(keys)))


@contextmanager
def _still(conn: psycopg.Connection) -> Iterator[int]:
    """The position at which everything read inside holds; the head is held where a caller's transaction is open."""
    is_outermost = conn.info.transaction_status is TransactionStatus.IDLE
    with conn.transaction():
        if is_outermost:
            conn.execute("set transaction isolation level repeatable read, read only")
        held = "" if is_outermost else " for share"
        row = conn.execute(f"select position from ledger_head{held}").fetchone()
        assert row is not None
        yield int(row[0])
