"""Representations: who may consent for whom, why, and from when until when.

In: a connection, two subject keys, a capacity, and where it is written (an issue number of the family or guardianship
register, never a person's number). Out: ids, and the relation that the gate joins with. A consent about somebody else
flows only while a representation of the same capacity is in force (F42): the guardian of a child until the 14th
birthday (PIPA 22-2), a ward's guardian as the guardianship register says, heirs of a person whose death is recorded,
a business or corporation through its representative. Each change is one ledger event.
"""

import re
from datetime import datetime

import psycopg
import pyarrow as pa

from consent import append as log
from consent.errors import ForbiddenTransition
from consent.ids import new_id
from consent.model import Capacity, is_line, member, need_instant
from consent.snapshot import read
from hanbeon.errors import UsageError

TABLES = """
create table if not exists representations (
    representation_id text primary key,
    represented_key bigint not null,
    representative_key bigint not null,
    capacity text not null,
    valid_from timestamptz not null check (isfinite(valid_from)),
    valid_until timestamptz check (isfinite(valid_until)),
    of_age_at timestamptz check (isfinite(of_age_at)),  -- a child's 14th birthday; until then it consents to nothing
    evidence text not null,
    ledger_position bigint not null,
    check (represented_key <> representative_key),
    check (valid_from < valid_until),
    check ((capacity = 'guardian_of_child') = (of_age_at is not null))
);
create index if not exists representations_of_represented on representations (represented_key);
"""
LONGEST_REFERENCE = 200
PERSONAL_NUMBER = re.compile(r"(?<![0-9])[0-9]{6}[-\s]?[0-9]{7}(?![0-9])")


def record(
    conn: psycopg.Connection,
    represented_key: int,
    representative_key: int,
    capacity: Capacity | str,
    evidence: str,
    at: datetime,
    *,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    of_age_at: datetime | None = None,
) -> str:
    """Record that one may consent for the other; returns the id. Said again while in force, it changes nothing.

    A child's guardian needs `of_age_at`, its 14th birthday, at which the representation ends by itself.
    """
    need_instant(at, "The instant of recording a representation")
    kind = member(Capacity, capacity)
    need_reference(evidence)
    if kind is Capacity.SELF or represented_key == representative_key:
        raise UsageError("Everybody represents themselves. Name two persons, and as what one acts for the other.")
    starts, ends = valid_from or at, _end(kind, valid_until, of_age_at)
    if ends is not None and ends <= starts:
        raise UsageError("The representation would be over before it begins. At 14 a person consents herself.")
    with conn.transaction():
        newest = log.lock(conn)
        if kind is Capacity.HEIR:
            _need_dead(conn, represented_key)
        same = conn.execute(
            "select representation_id from representations where represented_key = %s and representative_key = %s"
            " and capacity = %s and (valid_until is null or valid_until > %s)"
            " and valid_until is not distinct from %s",
            [represented_key, representative_key, str(kind), at, ends],
        ).fetchone()
        if same is not None:
            return str(same[0])
        key = new_id("repr")
        payload = {
            "representation_id": key,
            "represented_key": str(represented_key),
            "representative_key": str(representative_key),
            "capacity": str(kind),
            "valid_from": log.instant_text(starts),
            "valid_until": None if ends is None else log.instant_text(ends),
            "evidence": evidence,
        }
        positions = log.append(conn, newest, [log.entry("representation_recorded", key, payload)], at)
        conn.execute(
            "insert into representations (representation_id, represented_key, representative_key, capacity, valid_from,"
            " valid_until, of_age_at, evidence, ledger_position) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [key, represented_key, representative_key, kind, starts, ends, of_age_at, evidence, positions[0]],
        )
    return key


def end(conn: psycopg.Connection, representation_id: str, at: datetime) -> None:
    """The representation ends now: what was consented under it is suspended. Said again, it changes nothing."""
    need_instant(at, "The instant of ending a representation")
    with conn.transaction():
        newest = log.lock(conn)
        row = conn.execute(
            "select valid_from, valid_until from representations where representation_id = %s", [representation_id]
        ).fetchone()
        if row is None:
            raise UsageError("There is no representation with this id. `hanbeon representative list` shows them.")
        if row[1] is not None and row[1] <= at:
            return
        if at <= row[0]:
            raise ForbiddenTransition("A representation cannot end before it began. See to the clock, then end it.")
        positions = log.append(conn, newest, [log.entry("representation_ended", representation_id, {})], at)
        conn.execute(
            "update representations set valid_until = %s, ledger_position = %s where representation_id = %s",
            [at, positions[0], representation_id],
        )


def representations(conn: psycopg.Connection) -> pa.Table:
    """Every representation, in force or over (REPRESENTATIONS_SCHEMA)."""
    return read(conn, "representations")


def need_reference(evidence: str) -> None:
    """Where a fact is written: one line, and no person's number, which would rest in clear in the ledger (F45)."""
    if not evidence.strip() or len(evidence) > LONGEST_REFERENCE or not is_line(evidence):
        raise UsageError(f"Say where it is written: one line of at most {LONGEST_REFERENCE} characters.")
    if PERSONAL_NUMBER.search(evidence):
        raise UsageError("The reference holds what may be a person's number. Name the document's issue number instead.")


def _end(capacity: Capacity, valid_until: datetime | None, of_age_at: datetime | None) -> datetime | None:
    if (capacity is Capacity.GUARDIAN_OF_CHILD) != (of_age_at is not None):
        raise UsageError("A child's guardian, and nobody else, is recorded with the child's 14th birthday.")
    given = [instant for instant in (valid_until, of_age_at) if instant is not None]
    return min(given) if given else None


def _need_dead(conn: psycopg.Connection, subject_key: int) -> None:
    if conn.execute("select 1 from deaths where subject_key = %s", [subject_key]).fetchone() is None:
        raise UsageError("A living person has no heirs. Record the death first: `hanbeon death record`.")
