"""Holds: duties by law to keep named records, against erasing (PIPA 21 (1) proviso and (3); PIPA 37).

In: a connection, which records (an authorisation's, or one document type of one subject), ground and law, from when,
until when, and when to look again. Out: the hold's id. Each change is one ledger event. A hold lets nothing flow: what
it names leaves the lake as everything else does, and is kept apart until the hold ends (`pipeline.holding`). The
citizen is told what is kept and why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import psycopg

from consent import append as log
from consent.errors import ForbiddenTransition
from consent.ids import new_id
from consent.model import need_instant
from consent.subject_notices import About, day, owe
from hanbeon.errors import UsageError

TABLES = """
create table if not exists holds (
    hold_id text primary key,
    ground text not null,
    legal_basis text not null,
    authorisation_id text,
    valid_from timestamptz not null check (isfinite(valid_from)),
    valid_until timestamptz not null check (isfinite(valid_until)),
    review_at timestamptz not null check (isfinite(review_at)),
    lifted_at timestamptz,
    destroyed_at timestamptz,  -- what was kept is gone
    certificate bigint references log_bodies,  -- that says so
    ledger_position bigint not null,
    check (valid_from < valid_until),
    check (valid_from <= review_at and review_at <= valid_until)
);
create table if not exists hold_scopes (
    hold_id text not null references holds,
    subject_key bigint not null,
    document_type text not null,
    told_key bigint not null,
    primary key (hold_id, subject_key, document_type)
);
create table if not exists hold_contents (
    hold_id text not null references holds,
    name text not null,  -- of the sealed file
    table_name text not null,
    row_count bigint not null,
    kept_at timestamptz not null,
    primary key (hold_id, name)
);
"""


class Ground(StrEnum):
    APPEAL = "appeal"
    COURT_ORDER = "court_order"
    INVESTIGATION = "investigation"
    STATUTE = "statute"


WORDS: Mapping[Ground, tuple[str, str]] = {
    Ground.APPEAL: ("불복 절차", "an appeal"),
    Ground.COURT_ORDER: ("법원의 명령", "a court order"),
    Ground.INVESTIGATION: ("수사", "an investigation"),
    Ground.STATUTE: ("법률상 보존 의무", "a duty by statute"),
}


@dataclass(frozen=True)
class Hold:
    """`scopes` are the (subject key, document type) that it names, `rows` how many rows are kept for it now."""

    hold_id: str
    ground: Ground
    legal_basis: str
    authorisation_id: str | None
    valid_from: datetime
    valid_until: datetime
    review_at: datetime
    lifted_at: datetime | None
    destroyed_at: datetime | None
    scopes: tuple[tuple[int, str], ...]
    rows: int

    def state(self, at: datetime) -> str:
        if self.destroyed_at is not None:
            return "destroyed"
        if self.lifted_at is not None or self.valid_until <= at:
            return "ended"
        return "review due" if self.review_at <= at else "in force"


@dataclass(frozen=True)
class Terms:
    """Why and how long. `review_at` is when somebody looks whether the ground still stands."""

    ground: Ground
    legal_basis: str
    valid_until: datetime
    review_at: datetime


def place(
    conn: psycopg.Connection,
    terms: Terms,
    at: datetime,
    *,
    authorisation_id: str | None = None,
    subject: tuple[int, str] | None = None,
) -> str:
    """Keep the records of an authorisation, or of (subject key, document type), from now on; the hold's id."""
    _need_terms(terms, at)
    if (authorisation_id is None) == (subject is None):
        raise UsageError("A hold names an authorisation, or a person and a document type: one of the two.")
    with conn.transaction():
        newest = log.lock(conn)
        scopes = (
            _scopes(conn, authorisation_id) if authorisation_id else [(*(subject or (0, "")), (subject or (0,))[0])]
        )
        key = new_id("hold")
        payload = {
            "hold_id": key,
            "ground": str(terms.ground),
            "legal_basis": terms.legal_basis,
            "authorisation_id": authorisation_id,
            "scopes": [{"subject_key": str(k), "document_type": d} for k, d, _ in scopes],
            "valid_until": log.instant_text(terms.valid_until),
            "review_at": log.instant_text(terms.review_at),
        }
        positions = log.append(conn, newest, [log.entry("hold_placed", key, payload)], at)
        conn.execute(
            "insert into holds (hold_id, ground, legal_basis, authorisation_id, valid_from, valid_until, review_at,"
            " ledger_position) values (%s, %s, %s, %s, %s, %s, %s, %s)",
            [key, str(terms.ground), terms.legal_basis, authorisation_id, at, terms.valid_until, terms.review_at,
             positions[0]],
        )  # fmt: skip
        for subject_key, document_type, told in scopes:
            conn.execute("insert into hold_scopes values (%s, %s, %s, %s)", [key, subject_key, document_type, told])
        _tell(conn, key, About.HOLD_PLACED, scopes, _words(terms, at), at)
    return key


def lift(conn: psycopg.Connection, hold_id: str, at: datetime) -> None:
    """The ground is gone: what was kept is destroyed with the next erasure. Said again, it changes nothing."""
    need_instant(at, "The instant of lifting a hold")
    with conn.transaction():
        newest = log.lock(conn)
        row = conn.execute("select valid_from, lifted_at from holds where hold_id = %s", [hold_id]).fetchone()
        if row is None:
            raise UsageError("There is no hold with this id. `hanbeon hold list` shows them.")
        if row[1] is not None:
            return
        if at < row[0]:
            raise ForbiddenTransition("A hold cannot end before it began. See to the clock, then lift it again.")
        positions = log.append(conn, newest, [log.entry("hold_lifted", hold_id, {})], at)
        conn.execute(
            "update holds set lifted_at = %s, ledger_position = %s where hold_id = %s", [at, positions[0], hold_id]
        )


def holds(conn: psycopg.Connection, hold_id: str | None = None) -> list[Hold]:
    """Every hold, oldest first, or one."""
    with conn.transaction():
        rows = conn.execute(
            "select hold_id, ground, legal_basis, authorisation_id, valid_from, valid_until, review_at, lifted_at,"
            " destroyed_at, coalesce((select sum(row_count) from hold_contents as c where c.hold_id = h.hold_id), 0)"
            " from holds as h where %(id)s::text is null or hold_id = %(id)s order by ledger_position",
            {"id": hold_id},
        ).fetchall()
        scopes: dict[str, list[tuple[int, str]]] = {}
        for key, subject_key, document_type in conn.execute(
            "select hold_id, subject_key, document_type from hold_scopes order by 1, 2, 3"
        ):
            scopes.setdefault(key, []).append((subject_key, document_type))
    return [_hold(row, scopes) for row in rows]


def _hold(row: Sequence[Any], scopes: Mapping[str, list[tuple[int, str]]]) -> Hold:
    key, ground, law, authorisation_id, since, until, review, lifted, gone, count = row
    own = tuple(scopes.get(key, ()))
    return Hold(key, Ground(ground), law, authorisation_id, since, until, review, lifted, gone, own, int(count))


def in_force(conn: psycopg.Connection, at: datetime) -> list[Hold]:
    return [h for h in holds(conn) if h.state(at) in ("in force", "review due")]


def ended(conn: psycopg.Connection, at: datetime) -> list[Hold]:
    """Those whose kept records are to be destroyed."""
    return [h for h in holds(conn) if h.state(at) == "ended"]


def subjects_kept(conn: psycopg.Connection, at: datetime) -> set[int]:
    """Of whom something is kept: their secrets stay, so that it can be shown to be what the log has."""
    return {key for hold in in_force(conn, at) if hold.rows for key, _ in hold.scopes}


def held(conn: psycopg.Connection, at: datetime) -> list[tuple[str, str]]:
    """What an erasure leaves out, as a certificate says it: how many rows by which ground, under which law."""
    counted: dict[tuple[Ground, str], int] = {}
    for hold in in_force(conn, at):
        if hold.rows:
            place_of = (hold.ground, hold.legal_basis)
            counted[place_of] = counted.get(place_of, 0) + hold.rows
    return [(f"{n} rows under a hold ({ground})", law) for (ground, law), n in sorted(counted.items())]


def kept(conn: psycopg.Connection, hold_id: str, name: str, table: str, rows: int, at: datetime) -> None:
    """Note that a sealed file stands for this hold. Said again, it changes nothing."""
    with conn.transaction():
        conn.execute(
            "insert into hold_contents values (%s, %s, %s, %s, %s) on conflict do nothing",
            [hold_id, name, table, rows, at],
        )


def destroyed(conn: psycopg.Connection, hold_id: str, at: datetime) -> None:
    """What was kept for this hold is gone; whom it was about is told."""
    with conn.transaction():
        scopes = conn.execute(
            "select subject_key, document_type, told_key from hold_scopes where hold_id = %s order by 1, 2", [hold_id]
        ).fetchall()
        _tell(conn, hold_id, About.HOLD_ENDED, scopes, {}, at)
        conn.execute("update holds set destroyed_at = %s where hold_id = %s", [at, hold_id])


def uncertified(conn: psycopg.Connection) -> list[str]:
    """Holds whose records were destroyed, and no certificate says so yet."""
    with conn.transaction():
        rows = conn.execute(
            "select hold_id from holds where destroyed_at is not null and certificate is null order by 1"
        ).fetchall()
    return [row[0] for row in rows]


def certified(conn: psycopg.Connection, hold_ids: Sequence[str], certificate: int) -> None:
    with conn.transaction():
        conn.execute("update holds set certificate = %s where hold_id = any(%s)", [certificate, list(hold_ids)])


def _need_terms(terms: Terms, at: datetime) -> None:
    for name, value in (("placing", at), ("END", terms.valid_until), ("review", terms.review_at)):
        need_instant(value, f"The instant of a hold's {name}")
    if not terms.legal_basis.strip():
        raise UsageError("A hold rests on a law. Name the article.")
    if not at < terms.valid_until or not at <= terms.review_at <= terms.valid_until:
        raise UsageError("A hold ends after now, and is reviewed between now and its end. Check the dates.")


def _scopes(conn: psycopg.Connection, authorisation_id: str) -> list[tuple[int, str, int]]:
    rows = conn.execute(
        "select distinct subject_key, document_type, coalesce(grantor_key, subject_key) from authorisations"
        " where authorisation_id = %s order by 1, 2",
        [authorisation_id],
    ).fetchall()
    if not rows:
        raise UsageError("There is no authorisation with this id in the ledger. `hanbeon consent list` shows them.")
    return [(row[0], row[1], row[2]) for row in rows]


def _words(terms: Terms, at: datetime) -> dict[str, str]:
    korean, english = WORDS[terms.ground]
    return {
        "ground_ko": korean,
        "ground_en": english,
        "law": terms.legal_basis,
        "since": day(at),
        "until": day(terms.valid_until),
        "review": day(terms.review_at),
    }


def _tell(
    conn: psycopg.Connection,
    hold_id: str,
    about: About,
    scopes: Sequence[tuple[int, str, int]],
    words: Mapping[str, str],
    at: datetime,
) -> None:
    """One notice for each person, naming all of their documents."""
    for told in sorted({scope[2] for scope in scopes}):
        documents = ", ".join(sorted({document for _, document, key in scopes if key == told}))
        owe(conn, told, about, hold_id, {**words, "documents": documents}, at)
