"""Whom nothing covers any more, and how the ledger's database forgets them (P4, P10).

In: a connection, the subject keys that a row of some table names. Out: the keys that nothing covers; then the vault
and what pulls remember, without them. A key is derived from its identifier, so who comes back gets the same one, while
nobody can go from a key to a person any more. Nobody is forgotten while another process is at work: it may
have asked the vault for a key that it is about to use.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from consent import journal
from consent.journal import PullState

LOCK = 0x666F7267
COVERED = """
    select subject_key from authorisations where {rests}
    union select grantor_key from authorisations where grantor_key is not null and {rests}
    union select applicant_key from applications where state = 'open'
    union select unnest(member_keys) from applications where state = 'open'
    union select victim_key from blocks where {stands} union select restricted_key from blocks where {stands}
    union select represented_key from representations where {stands}
    union select representative_key from representations where {stands}
    union select subject_key from hold_scopes where hold_id in (select hold_id from holds where {held})
    union select told_key from hold_scopes where hold_id in (select hold_id from holds where {held})
    union select subject_key from subject_notices where done_at is null
""".format(
    rests="(state in ('granted', 'paused') or (state in ('expired', 'consumed') and retain_until > %(at)s))",
    stands="(valid_until is null or valid_until > %(at)s)",
    held="lifted_at is null and valid_until > %(at)s",
)


def at_work(conn: psycopg.Connection) -> None:
    """This connection may be about to use keys of the vault, until it closes."""
    conn.execute("select pg_advisory_lock_shared(%s)", [LOCK])


@contextmanager
def alone(conn: psycopg.Connection) -> Iterator[bool]:
    """Whether no other connection is at work; while it is so, a new one waits."""
    row = conn.execute("select pg_try_advisory_lock(%s)", [LOCK]).fetchone()
    is_alone = bool(row and row[0])
    try:
        yield is_alone
    finally:
        if is_alone:
            conn.execute("select pg_advisory_unlock(%s)", [LOCK])


def uncovered(conn: psycopg.Connection, held: Collection[int], at: datetime) -> list[int]:
    """The vault's keys that no authorisation, application, block, representation and row needs."""
    with conn.transaction():
        rows = conn.execute(
            f"select subject_key from vault_subjects except ({COVERED}) except select unnest(%(held)s::bigint[])"
            " order by 1",
            {"at": at, "held": list(held)},
        ).fetchall()
    return [int(row[0]) for row in rows]


def forget(conn: psycopg.Connection, keys: Collection[int]) -> int:
    """Every identifier of these keys, the keys themselves, and that they were asked for; how many keys there were.

    What a closed intent was to remember goes too, of everybody: it was kept with its leaf, and nobody reads it again.
    """
    given = list(keys)
    with conn.transaction():
        conn.execute("delete from vault_identifiers where subject_key = any(%s::bigint[])", [given])
        gone = conn.execute("delete from vault_subjects where subject_key = any(%s::bigint[])", [given]).rowcount
        conn.execute("update intents set pull_state = null where state <> 'open' and pull_state is not null")
        for packed in conn.execute("select state from pull_states order by dataset for update").fetchall():
            state = journal.unpack(packed[0])
            kept = _without(state, given)
            if kept.coverage.num_rows < state.coverage.num_rows:
                conn.execute(
                    "update pull_states set state = %s where dataset = %s", [journal.pack(kept), state.dataset]
                )
    return gone


def _without(state: PullState, keys: Collection[int]) -> PullState:
    is_gone = pc.is_in(state.coverage.column("_subject_key"), value_set=pa.array(keys, pa.int64()))
    return replace(state, coverage=state.coverage.filter(pc.invert(is_gone)))
