"""PostgreSQL holders: the request set travels to the holder, and the join runs there.

    temporary table requested(ordinal, identifier, _subject_key, variant, is_new, columns…)
    ⋈ header relation (newest version of a record) ⋈ lines of each group as one JSON text

Each column passes through CASE on its own flag, so uncovered columns and unrequested subjects never leave the holder.
What is asked: (changed since the watermark) OR (newly authorised). The relations' columns are compared with the
contract before anything is asked (F22). The set is asked in parts; a part that the holder cannot send (a text
undecodable in its own encoding) is halved down to the one subject whose record is the poison (F23).
"""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from hanbeon.errors import DependencyDown, SettingsError, SourceError
from hanbeon.settings import SourceSettings
from schemas.contract import Contract
from schemas.request import RequestSet
from sources.bounds import LOOPBACK, Deadline, address_to_dial, deadline
from sources.conform import Poison, Row, batches, content, instant_control, text_control
from sources.coverage import Asked, Covered, asked, keys_named_twice
from sources.delivery import BATCH_ROWS, SUPERSEDED, Batches, Tally, ask_since, give_up
from sources.postgres_query import check_relations, create_requested, load_requested, select

_PART = 2_000


@dataclass
class _Session:
    """One delivery being read."""

    contract: Contract
    request: RequestSet
    sets: tuple[Covered, ...]
    connection: psycopg.Connection[Any]
    query: sql.Composed
    settings: SourceSettings
    limit: Deadline
    tally: Tally


def read(
    contract: Contract,
    request: RequestSet,
    sets: tuple[Covered, ...],
    dsn: str,
    settings: SourceSettings,
    tally: Tally,
) -> Batches:
    """Batches of one delivery. Raises SourceError, SchemaDrift, DependencyDown."""
    limit = deadline(contract.holder, settings)
    with _connect(contract.holder, dsn, settings, limit) as connection:
        session = _Session(contract, request, sets, connection, select(contract), settings, limit, tally)
        try:
            _bound(session)
            create_requested(contract, connection, check_relations(contract, connection))
            load_requested(contract, connection, request, sets)
            connection.commit()
            connection.execute("set transaction isolation level repeatable read read only")
        except psycopg.Error as error:
            raise _failed(session, error) from None
        yield from batches(contract, _rows(session), BATCH_ROWS)


def _rows(session: _Session) -> Iterator[Row]:
    since = ask_since(session.request, session.settings)
    twice, seen = keys_named_twice(session.request), set()
    for at in range(0, session.request.table.num_rows, _PART):
        subjects = asked(session.request.table.slice(at, _PART), session.sets, since)
        for ordinal, record_id, *values in _part(session, subjects, at, at + len(subjects), since):
            subject = subjects[ordinal - at]
            session.tally.received += 1
            if subject.subject_key in twice:
                mark = (subject.subject_key, subject.variant, record_id)
                if mark in seen:
                    session.tally.drop(SUPERSEDED, 1)
                    continue
                seen.add(mark)
            try:
                yield _row(session, subject, [record_id, *values])
            except Poison as poison:
                session.tally.withhold(poison.reason, subject.subject_key)


def _bound(session: _Session) -> None:
    seconds = min(session.settings.timeout_seconds, session.limit.remaining())
    session.connection.execute(sql.SQL("set local statement_timeout = {}").format(int(seconds * 1000)))


def _part(
    session: _Session, subjects: Sequence[Asked], start: int, end: int, since: datetime | None
) -> list[tuple[Any, ...]]:
    """Rows of the subjects with ordinals [start, end), halved where the holder cannot send them."""
    try:
        with session.connection.transaction(), session.connection.cursor() as cursor:
            _bound(session)
            rows = cursor.execute(session.query, {"start": start, "end": end, "since": since}).fetchall()
            session.tally.unreadable = 0
            return rows
    except (psycopg.DataError, UnicodeDecodeError):
        if end - start == 1:
            give_up(session.contract, session.tally, subjects[0], "undecodable")
            return []
    except psycopg.Error as error:
        raise _failed(session, error) from None
    half = (end - start) // 2
    first = _part(session, subjects[:half], start, start + half, since)
    return first + _part(session, subjects[half:], start + half, end, since)


def _row(session: _Session, subject: Asked, values: Sequence[Any]) -> Row:
    """One document from one row of `select`: controls, covered own columns, groups as JSON text."""
    contract, tally = session.contract, session.tally
    record_id, changed_at, is_deleted, *rest = values
    row: Row = {
        "_subject_key": subject.subject_key,
        "_variant": subject.variant,
        "_record_id": text_control(record_id),
        "_observed_at": instant_control(changed_at),
    }
    tally.saw(row["_observed_at"])
    if is_deleted is None:
        raise Poison("control_value_missing")
    if is_deleted:
        return row | {"_is_deleted": True}
    own = dict(zip((c.name for c in contract.content), rest, strict=False))
    texts = dict(zip((g.name for g in contract.groups), rest[len(contract.content) :], strict=True))
    groups = {}
    for g in contract.groups:
        names = ["_line_no", *(c.name for c in g.columns)]
        groups[g.name] = [dict(zip(names, line, strict=True)) for line in json.loads(texts[g.name] or "[]")]
    return row | {"_is_deleted": False} | content(contract, subject, own, groups)


def _failed(session: _Session, error: psycopg.Error) -> SourceError:
    """psycopg's own messages can carry values: only the SQLSTATE leaves."""
    contract = session.contract
    session.limit.remaining()
    if error.sqlstate == "57014":
        return SourceError(f"{contract.holder} did not answer for {contract.dataset} in time. The watermark stays.")
    if error.sqlstate is None:
        return SourceError(f"{contract.holder} broke off while {contract.dataset} was read. The watermark stays.")
    return SourceError(
        f"{contract.holder} refused the question for {contract.dataset} (SQLSTATE {error.sqlstate}). "
        "Check the rights of our role and the relations of the contract."
    )


@contextmanager
def _connect(holder: str, dsn: str, settings: SourceSettings, limit: Deadline) -> Iterator[psycopg.Connection[Any]]:
    try:
        connection = psycopg.connect(
            dsn,
            hostaddr=_address(holder, dsn, settings),
            connect_timeout=max(2, int(settings.timeout_seconds)),
            client_encoding="UTF8",
        )
    except psycopg.Error:
        raise DependencyDown(f"The database of {holder} cannot be reached, or does not accept us.") from None
    watchdog = threading.Timer(limit.remaining(), _cut, [connection])
    watchdog.daemon = True
    watchdog.start()
    try:
        yield connection
    finally:
        watchdog.cancel()
        connection.close()


def _cut(connection: psycopg.Connection[Any]) -> None:
    """Break the connection off: a server that hangs without ending its statement answers no cancel request."""
    if not connection.closed:
        with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as wire:
            wire.shutdown(socket.SHUT_RDWR)


def _address(holder: str, dsn: str, settings: SourceSettings) -> str | None:
    """The address to dial; None for a local socket file, which is allowed where localhost is (F27)."""
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.Error:
        raise SettingsError(f"The DSN of {holder} cannot be read.") from None
    host = str(given.get("host") or LOOPBACK)
    if "," in host or "service" in given or "hostaddr" in given:
        raise SettingsError(f"The DSN of {holder} must name one host.")
    if host.startswith("/"):
        if LOOPBACK in settings.allowed_hosts:
            return None
        raise SourceError(f"{holder} is to be reached on this machine, which sources.allowed_hosts does not list.")
    return address_to_dial(holder, host, int(given.get("port") or 5432), settings)
