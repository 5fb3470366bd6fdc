"""Applications: opened by a citizen, filled with evidence or paper, and decided.

In: a connection, and what happened to an application. Out: ids and rows. Refusing consent never blocks an application:
what cannot come as data is marked as brought on paper. A decision consumes the application's one-time authorisations,
whose rows then fall due for erasure, and leaves an identity-free `Decided` for statistics.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql
from psycopg.types.json import Jsonb

from consent import append as log
from consent.applying import TERMS, need_fitting, payload, terms
from consent.changes import set_state
from consent.errors import ForbiddenTransition
from consent.ids import new_id
from consent.model import Application, ApplicationState, Decision, Event, State, member, need_instant
from consent.snapshot import read
from hanbeon.errors import UsageError
from schemas.services import service

SATISFIED_BY = ("data", "paper")


@dataclass(frozen=True)
class Decided:
    """What statistics may know of a decided application: no key, no application id."""

    decision_id: str
    service: str
    recipient: str
    applicant_kind: str  # by which kind of number who applied was known
    decision: str
    decided_at: datetime
    satisfied_by: Mapping[str, str]  # document type -> data or paper


def open(conn: psycopg.Connection, application: Application, at: datetime | None = None) -> str:
    """Record a new application; returns its id. The same one again changes nothing."""
    return open_many(conn, [application], at or application.opened_at)[0]


def open_many(conn: psycopg.Connection, given: Sequence[Application], at: datetime) -> list[str]:
    """Record applications in one transaction; returns their ids in order. Those already there unchanged are kept."""
    rows = {a.application_id or new_id("appl"): _usual(a) for a in given}
    if len(rows) < len(given):
        raise UsageError("Two applications have one id. Give each its own.")
    for a in rows.values():
        need_fitting(a)
    with conn.transaction():
        newest = log.lock(conn)
        known = _same(conn, rows)
        new = [key for key in rows if key not in known]
        entries = [log.entry("application_opened", key, payload(rows[key])) for key in new]
        positions = log.append(conn, newest, entries, at)
        names = f"application_id, {', '.join(TERMS)}, opened_at, state, ledger_position"
        with conn.cursor() as cursor, cursor.copy(f"copy applications ({names}) from stdin") as copy:
            for position, key in zip(positions, new, strict=True):
                copy.write_row((key, *terms(rows[key]), rows[key].opened_at, "open", position))
    return list(rows)


def paper(conn: psycopg.Connection, application_id: str, document_type: str, at: datetime) -> None:
    """Mark a required document as brought on paper. Marking it again changes nothing."""
    paper_many(conn, [(application_id, document_type)], at)


def paper_many(conn: psycopg.Connection, brought: Sequence[tuple[str, str]], at: datetime) -> None:
    """Mark many (application, document type) in one transaction: all or none."""
    wanted = list(dict.fromkeys(brought))
    with conn.transaction():
        newest = log.lock(conn)
        known = _services_of_open(conn, [a for a, _ in wanted])
        for application_id, document_type in wanted:
            if document_type not in {r.document_type for r in service(known[application_id]).requirements}:
                raise UsageError(f"Service {known[application_id]} does not need {document_type}.")
        there = conn.execute(
            "select application_id, document_type from papers where application_id = any(%s)", [list(known)]
        ).fetchall()
        new = [pair for pair in wanted if pair not in set(there)]
        entries = [log.entry("paper_brought", key, {"document_type": document}) for key, document in new]
        positions = log.append(conn, newest, entries, at)
        names = "application_id, document_type, brought_at, ledger_position"
        with conn.cursor() as cursor, cursor.copy(f"copy papers ({names}) from stdin") as copy:
            for position, pair in zip(positions, new, strict=True):
                copy.write_row((*pair, at, position))


def decide(
    conn: psycopg.Connection,
    application_id: str,
    decision: Decision | str,
    at: datetime,
    satisfied_by: Mapping[str, str] | None = None,
) -> str:
    """Record the decision and consume the application's one-time authorisations; returns the decision's id.

    `satisfied_by` says what each document came as (`data` or `paper`), as the case worker saw it; documents that were
    brought on paper are known without it. Deciding again the same way changes nothing.
    """
    outcome = member(Decision, decision)
    need_instant(at, "The instant of a decision")
    with conn.transaction():
        newest = log.lock(conn)
        found = conn.execute(
            "select state, decision, decision_id, service from applications where application_id = %s",
            [application_id],
        ).fetchone()
        if found is None:
            raise _unknown()
        if found[0] == ApplicationState.DECIDED:
            if found[1] == outcome:
                return str(found[2])
            raise ForbiddenTransition(f"This application is decided already: {found[1]}.")
        evidence = _evidence(conn, application_id, found[3], satisfied_by or {})
        consumed = _unused(conn, application_id)
        decision_id = new_id("dcsn")
        payload = {"decision": str(outcome), "satisfied_by": evidence}
        entries = [log.entry("application_decided", application_id, payload)]
        entries += [log.entry(Event.CONSUMED, key, {}, key) for key in consumed]
        positions = log.append(conn, newest, entries, at)
        conn.execute(
            "update applications set state = 'decided', decision = %s, decided_at = %s, decision_id = %s,"
            " satisfied_by = %s, ledger_position = %s where application_id = %s",
            [str(outcome), at, decision_id, Jsonb(evidence), positions[0], application_id],
        )
        set_state(conn, consumed, positions[1:], State.CONSUMED, at, is_use=True)
    return decision_id


def get(conn: psycopg.Connection, application_id: str) -> dict[str, Any]:
    """One application with its papers. Raises UsageError when there is none."""
    rows = applications(conn, application_id=application_id).to_pylist()
    if not rows:
        raise _unknown()
    return {**rows[0], "papers": papers(conn, application_id)}


def papers(conn: psycopg.Connection, application_id: str) -> list[str]:
    """The document types that were brought on paper, sorted."""
    where = sql.SQL("application_id = {}").format(sql.Literal(application_id))
    return list(read(conn, "papers", where).column("document_type").to_pylist())


def applications(
    conn: psycopg.Connection,
    *,
    application_id: str | None = None,
    applicant_key: int | None = None,
    service: str | None = None,
    recipient: str | None = None,
    state: ApplicationState | str | None = None,
) -> pa.Table:
    """Applications narrowed by whatever is given, with the columns of `ledger/applications`."""
    given = {
        "application_id": application_id,
        "applicant_key": applicant_key,
        "service": service,
        "recipient": recipient,
        "state": None if state is None else str(state),
    }
    conditions = [
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in given.items()
        if value is not None
    ]
    return read(conn, "applications", sql.SQL(" and ").join([sql.SQL("true"), *conditions]))


def decided_applications(conn: psycopg.Connection, after: int = 0) -> list[Decided]:
    """Decisions after a ledger position, without anything that names who applied, ordered by their random ids."""
    with conn.transaction():
        rows = conn.execute(
            "select decision_id, service, recipient, applicant_kind, decision, decided_at, satisfied_by"
            " from applications where state = 'decided' and ledger_position > %s order by decision_id",
            [after],
        ).fetchall()
    return [Decided(*row) for row in rows]


def _usual(a: Application) -> Application:
    """With the kind of applicant that the service usually has, where none is named."""
    return replace(a, applicant_kind=a.applicant_kind or service(a.service).applicants[0])


def _unknown() -> UsageError:
    return UsageError("There is no application with this id. `hanbeon application list` shows them.")


def _same(conn: psycopg.Connection, rows: Mapping[str, Application]) -> set[str]:
    """The ids that are there already. Raises ForbiddenTransition when one of them is another application."""
    found = conn.execute(
        f"select application_id, {', '.join(TERMS)} from applications where application_id = any(%s)", [list(rows)]
    ).fetchall()
    for key, *known in found:
        if tuple(known) != terms(rows[key]):
            raise ForbiddenTransition("Another application has this id already. Take a new one.")
    return {row[0] for row in found}


def _services_of_open(conn: psycopg.Connection, ids: Sequence[str]) -> dict[str, str]:
    """application id -> service. Raises when one is unknown or decided."""
    found = conn.execute(
        "select application_id, service, state from applications where application_id = any(%s)", [list(set(ids))]
    ).fetchall()
    if len(found) < len(set(ids)):
        raise _unknown()
    if any(row[2] != ApplicationState.OPEN for row in found):
        raise ForbiddenTransition("This application is decided, so no document can be added to it.")
    return {row[0]: row[1] for row in found}


def _evidence(
    conn: psycopg.Connection, application_id: str, service_id: str, satisfied_by: Mapping[str, str]
) -> dict[str, str]:
    needed = {r.document_type for r in service(service_id).requirements}
    if not set(satisfied_by) <= needed or not set(satisfied_by.values()) <= set(SATISFIED_BY):
        raise UsageError(f"A decision names documents that service {service_id} needs, as data or paper.")
    brought = conn.execute("select document_type from papers where application_id = %s", [application_id]).fetchall()
    return {**{row[0]: "paper" for row in brought}, **satisfied_by}


def _unused(conn: psycopg.Connection, application_id: str) -> list[str]:
    """The one-time authorisations of the application that could still be used."""
    found = conn.execute(
        "select distinct authorisation_id from authorisations where application_id = %s"
        " and mode = 'one_time' and state in ('granted', 'paused') order by 1",
        [application_id],
    )
    return [row[0] for row in found]
