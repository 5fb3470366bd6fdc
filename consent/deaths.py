"""Deaths: the dead cannot consent, and nobody's guardian is the guardian of the dead.

In: a connection, a subject key, the day, and where it is written. Out: the relation that the gate joins with. What a
person granted flows no more from the moment the death is recorded; the heirs are subjects of their own (F42). A death
recorded by mistake is corrected by another event, and what was suspended stands again.
"""

from datetime import date, datetime

import psycopg
import pyarrow as pa

from consent import append as log
from consent.age import is_future
from consent.ids import new_id
from consent.model import need_instant
from consent.representations import need_reference
from consent.snapshot import read
from hanbeon.errors import UsageError

TABLES = """
create table if not exists deaths (
    death_id text primary key,
    subject_key bigint not null unique,
    died_on date not null check (isfinite(died_on)),
    evidence text not null,
    ledger_position bigint not null
);
"""


def record(conn: psycopg.Connection, subject_key: int, died_on: date, evidence: str, at: datetime) -> str:
    """The person has died; returns the record's id. Said again with the same day, it changes nothing."""
    need_instant(at, "The instant of recording a death")
    need_reference(evidence)
    if is_future(died_on, at):
        raise UsageError("A death cannot lie in the future. Check the day.")
    with conn.transaction():
        newest = log.lock(conn)
        found = conn.execute("select died_on, death_id from deaths where subject_key = %s", [subject_key]).fetchone()
        if found is not None:
            if found[0] == died_on:
                return str(found[1])
            raise UsageError("Another day of death is recorded. Correct the record first: `hanbeon death correct`.")
        key = new_id("dead")
        payload = {
            "death_id": key,
            "subject_key": str(subject_key),
            "died_on": died_on.isoformat(),
            "evidence": evidence,
        }
        positions = log.append(conn, newest, [log.entry("death_recorded", key, payload)], at)
        conn.execute(
            "insert into deaths (death_id, subject_key, died_on, evidence, ledger_position)"
            " values (%s, %s, %s, %s, %s)",
            [key, subject_key, died_on, evidence, positions[0]],
        )
    return key


def correct(conn: psycopg.Connection, death_id: str, at: datetime) -> None:
    """The record was wrong: the person lives. What the person granted stands again as far as it has not ended."""
    need_instant(at, "The instant of a correction")
    with conn.transaction():
        newest = log.lock(conn)
        gone = conn.execute("delete from deaths where death_id = %s returning subject_key", [death_id]).fetchone()
        if gone is None:
            raise UsageError("There is no record of a death with this id. `hanbeon death list` shows them.")
        positions = log.append(conn, newest, [log.entry("death_corrected", death_id, {})], at)
        # What was erased meanwhile is asked for again as if it were newly granted.
        conn.execute(
            "update authorisations set ledger_position = %s where grantor_key = %s or subject_key = %s",
            [positions[0], gone[0], gone[0]],
        )


def deaths(conn: psycopg.Connection) -> pa.Table:
    """Every recorded death (DEATHS_SCHEMA)."""
    return read(conn, "deaths")
