"""May this person consent at all? The ledger's door, before the gate says the same of every row.

In: a connection, who grants or renews, and when. Out: nothing, or a refusal with its reason: children under 14 whose
guardian is recorded, and the dead (F42). What the door cannot know, an age that nobody recorded, the commands that hold
the number check with `consent.age`.
"""

from collections.abc import Iterable
from datetime import datetime

import psycopg

from consent.age import is_under_age
from consent.errors import ForbiddenTransition
from consent.model import Capacity, Grant, Kind, Reason
from hanbeon.errors import GateRefused
from schemas.identifiers import CORPORATE, PERSON

UNDER_AGE = "A child under 14 cannot consent herself. Her guardian consents: `hanbeon representative record`."


def need_capable(conn: psycopg.Connection, grants: Iterable[Grant], at: datetime) -> None:
    """Raises GateRefused when somebody who consents is recorded as a child under 14, or as dead."""
    need_alive_and_of_age(conn, {g.grantor_key for g in grants if g.kind is not Kind.STATUTE and g.grantor_key}, at)


def need_alive_and_of_age(conn: psycopg.Connection, keys: Iterable[int], at: datetime) -> None:
    given = list(keys)
    if conn.execute("select 1 from deaths where subject_key = any(%s::bigint[]) limit 1", [given]).fetchone():
        raise GateRefused("The dead cannot consent. Heirs consent for themselves.", Reason.GRANTOR_DECEASED)
    child = "select 1 from representations where represented_key = any(%s::bigint[]) and of_age_at > %s limit 1"
    if conn.execute(child, [given, at]).fetchone():
        raise GateRefused(UNDER_AGE, Reason.UNDER_AGE)


def need_number_of_age(kind: str, numbers: Iterable[str], at: datetime) -> None:
    """Raises GateRefused when a resident number says that its person is under 14. Other identifiers have no age."""
    if kind == PERSON and any(is_under_age(number, at) for number in numbers):
        raise GateRefused(UNDER_AGE, Reason.UNDER_AGE)


def need_representative(kind: str) -> None:
    """Raises GateRefused where the number names a corporation or business that nobody represents."""
    if kind in CORPORATE:
        raise GateRefused(
            "A corporation consents through its representative: record who that is (`hanbeon representative record`)"
            " and name it with --by and --capacity. What a statute opens needs nobody: name it with --document.",
            Reason.NO_CAPACITY,
        )


def need_recorded(
    conn: psycopg.Connection, subject_keys: Iterable[int], grantor_key: int, capacity: Capacity, at: datetime
) -> None:
    """Raises GateRefused unless the grantor is recorded, in this capacity and now, for every subject."""
    found = conn.execute(
        "select represented_key from representations where representative_key = %s and capacity = %s"
        " and valid_from <= %s and (valid_until is null or %s < valid_until)",
        [grantor_key, str(capacity), at, at],
    ).fetchall()
    if set(subject_keys) - {row[0] for row in found} - {grantor_key}:
        raise GateRefused(
            "Nothing recorded lets this person consent for the subject. Record it first: "
            "`hanbeon representative record`.",
            Reason.NO_CAPACITY,
        )


def need_own(conn: psycopg.Connection, authorisation_id: str, subject_key: int, at: datetime) -> None:
    """Raises ForbiddenTransition unless the authorisation is about this person alone, who may consent by now."""
    need_alive_and_of_age(conn, [subject_key], at)
    query = "select distinct subject_key from authorisations where authorisation_id = %s"
    if [row[0] for row in conn.execute(query, [authorisation_id])] != [subject_key]:
        raise ForbiddenTransition(
            "Only its grantor renews an authorisation, or the person whom alone it is about. Grant it anew."
        )
