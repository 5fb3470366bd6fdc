"""Disclosure blocks: a victim of domestic violence is not shown to whom the block names, whatever is consented.

In: a connection, two subject keys, the law, and when. Out: ids, and the relation that the gate joins with. A block wins
over every authorisation: nothing about the victim flows under a consent of the restricted person, and the victim's
lines leave certificates about, or obtained by, the restricted person (Family Registration Act 14 (8) to (10), Resident
Registration Act 29 (6) to (9)). Each change is one ledger event; a block names keys, never persons.
"""

from datetime import datetime

import psycopg
import pyarrow as pa

from consent import append as log
from consent.errors import ForbiddenTransition
from consent.ids import new_id
from consent.model import need_instant
from consent.snapshot import read
from hanbeon.errors import UsageError

TABLES = """
create table if not exists blocks (
    block_id text primary key,
    victim_key bigint not null,
    restricted_key bigint not null,
    legal_basis text not null,
    valid_from timestamptz not null check (isfinite(valid_from)),
    valid_until timestamptz check (isfinite(valid_until)),
    ledger_position bigint not null,
    check (victim_key <> restricted_key),
    check (valid_from < valid_until)
);
"""


def block(conn: psycopg.Connection, victim_key: int, restricted_key: int, legal_basis: str, at: datetime) -> str:
    """From now on nothing about the victim is disclosed to the restricted person. Said again, it changes nothing."""
    need_instant(at, "The instant of a block")
    if victim_key == restricted_key:
        raise UsageError("A block is between two persons. Name the victim and whom the block restricts.")
    if not legal_basis.strip():
        raise UsageError("A block rests on a law. Name the article.")
    with conn.transaction():
        newest = log.lock(conn)
        standing = conn.execute(
            "select block_id from blocks where victim_key = %s and restricted_key = %s and valid_until is null",
            [victim_key, restricted_key],
        ).fetchone()
        if standing is not None:
            return str(standing[0])
        key = new_id("block")
        payload = {
            "block_id": key,
            "victim_key": str(victim_key),
            "restricted_key": str(restricted_key),
            "legal_basis": legal_basis,
        }
        positions = log.append(conn, newest, [log.entry("disclosure_blocked", key, payload)], at)
        conn.execute(
            "insert into blocks (block_id, victim_key, restricted_key, legal_basis, valid_from, ledger_position)"
            " values (%s, %s, %s, %s, %s, %s)",
            [key, victim_key, restricted_key, legal_basis, at, positions[0]],
        )
    return key


def lift(conn: psycopg.Connection, block_id: str, at: datetime) -> None:
    """The block ends now. Said again, it changes nothing."""
    need_instant(at, "The instant of lifting a block")
    with conn.transaction():
        newest = log.lock(conn)
        row = conn.execute("select valid_from, valid_until from blocks where block_id = %s", [block_id]).fetchone()
        if row is None:
            raise UsageError("There is no block with this id. `hanbeon block list` shows them.")
        if row[1] is not None:
            return
        if at <= row[0]:
            raise ForbiddenTransition("A block cannot end before it began. See to the clock, then lift it again.")
        positions = log.append(conn, newest, [log.entry("disclosure_block_lifted", block_id, {})], at)
        conn.execute(
            "update blocks set valid_until = %s, ledger_position = %s where block_id = %s",
            [at, positions[0], block_id],
        )


def blocks(conn: psycopg.Connection) -> pa.Table:
    """Every block, in force or lifted (BLOCKS_SCHEMA)."""
    return read(conn, "blocks")
