"""What deleted rows leave behind in PostgreSQL, cleared at once instead of when the server gets to it (P4).

In: a connection outside of a transaction, and whether the server is our own. Out: the tables rewritten without their
dead rows; on our own server also no write-ahead log and no statistics in which they stand. `hanbeon.postgres` starts
it with `wal_recycle = off`, so that an old segment is unlinked and not renamed.
"""

from collections.abc import Sequence

import psycopg
from psycopg import errors, sql

from hanbeon.errors import DependencyDown

TABLES = ("vault_identifiers", "vault_subjects", "owner_secrets", "pull_states", "intents", "erasures", "accesses")
STATISTICS = "pg_statistic"  # samples of values
WAIT = "60s"


def clear(conn: psycopg.Connection, is_own_server: bool, tables: Sequence[str] = TABLES) -> int:
    """Rewrite the tables whose rows an erasure deletes or empties; how many. Raises DependencyDown if one is in use."""
    names = (*tables, STATISTICS) if is_own_server else tuple(tables)
    conn.execute(f"set lock_timeout to '{WAIT}'")
    try:
        for name in names:
            conn.execute(sql.SQL("vacuum (full, analyze) {}").format(sql.Identifier(name)))
    except errors.LockNotAvailable as error:
        raise DependencyDown(
            "A table of the ledger's database is in use, so its dead rows cannot be cleared. "
            "End what else is running, then run `hanbeon erase --now` again."
        ) from error
    finally:
        conn.execute("reset lock_timeout")
    if is_own_server:
        conn.execute("select pg_switch_wal()")
        conn.execute("checkpoint")
    return len(names)
