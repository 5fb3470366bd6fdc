"""Rotation of the keys under which the vault's index and ciphertext rest (F47, P10).

In: a connection, the secrets, the name of a key. Out: every row under a new version, then the old ones destroyed. Each
step may be the last before a kill, and saying it again does the rest: the service makes a version; the database names
it current, when nobody is writing; batches of rows are sealed anew, while readers open both; none is left under an old
version; the service destroys the old ones; the log says so.
Subject keys, evidence ids and the salts of rows stay as they are.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from cryptography.exceptions import InvalidTag

from consent import erasures, owners, vault
from consent.append import instant_text
from consent.bodies import BodyKind, record_body
from consent.keyring import Keyring, head
from consent.keys_in_use import Versions, alone, in_use, versions
from consent.secrets import Secrets
from hanbeon.errors import DependencyDown, IntegrityError, UsageError

BATCH = 1_000
RUNNING = 0x726F7461  # one rotation at a time
Batch = Callable[[psycopg.Connection, Secrets, Keyring, int, Any], tuple[int, Any]]
Done = Callable[[int], None]


@dataclass(frozen=True)
class Rotated:
    """`is_resumed`: an interrupted rotation was ended, and no other begun. `rows` were sealed anew by this call."""

    name: str
    version: int
    rows: int
    destroyed: tuple[int, ...]
    is_resumed: bool


@dataclass(frozen=True)
class KeyState:
    """Of one rotating key: which versions the service has, which rows are under which, and whether it is rotating."""

    name: str
    held: tuple[int, ...]
    in_use: Versions
    rows: dict[int, int]


def rotate(
    conn: psycopg.Connection, secrets: Secrets, name: str, at: datetime, after_batch: Done = lambda rows: None
) -> Rotated:
    """Put every row of a key under a new version. Raises UsageError for a key that does not rotate.

    Whatever an interrupted rotation left is ended, and then nothing new is begun. `after_batch` is told of each batch.
    """
    ring = next((one for one in secrets.rings if one.name == name), None)
    if ring is None:
        raise UsageError(f"The keys that rotate are {', '.join(one.name for one in secrets.rings)}. Name one of them.")
    with _only_one(conn):
        with conn.transaction():
            before: Versions = getattr(in_use(conn, secrets), name)
        held = ring.service.versions(name)
        newest, is_resumed = max(held), before.oldest < max(held) or min(held) < before.oldest
        if not is_resumed:
            newest = ring.service.add(name)
        with conn.transaction():
            alone(conn)
            conn.execute("update key_versions set current = %s where name = %s", [newest, name])
        try:
            rows = sum(_all(conn, secrets, ring, newest, batch, after_batch) for batch in BATCHES[name])
        except InvalidTag:
            raise IntegrityError(
                f"A ciphertext does not belong to its row: moved or changed. The rotation of {name} stopped, and no"
                " version was destroyed. Restore the row, then run again."
            ) from None
        with conn.transaction():
            alone(conn)
            if any(version != newest for version in counted(conn, name)):
                raise IntegrityError(f"Rows are left under an old version of {name}. Nothing was destroyed; run again.")
            conn.execute("update key_versions set oldest = %s where name = %s", [newest, name])
        destroyed = tuple(version for version in ring.service.versions(name) if version < newest)
        for version in destroyed:
            ring.service.destroy(name, version)
        body = {"kind": "key_rotation", "key": name, "version": newest, "rows": rows, "rotated_at": instant_text(at)}
        record_body(conn, BodyKind.FINDING, body)
    return Rotated(name, newest, rows, destroyed, is_resumed)


def states(conn: psycopg.Connection, secrets: Secrets) -> list[KeyState]:
    with conn.transaction():
        in_use(conn, secrets)
        found = versions(conn)
        return [
            KeyState(ring.name, ring.service.versions(ring.name), found[ring.name], counted(conn, ring.name))
            for ring in secrets.rings
        ]


def counted(conn: psycopg.Connection, name: str) -> dict[int, int]:
    """How many rows rest under which version of a key."""
    columns = {"index": ["vault_identifiers.lookup"], "vault": [f"{table}.{column}" for table, column in SEALED]}[name]
    found: dict[int, int] = {}
    for table, _, column in (one.partition(".") for one in columns):
        for version, rows in conn.execute(
            f"select get_byte({column}, 0) * 256 + get_byte({column}, 1), count(*) from {table}"
            f" where {column} is not null group by 1"
        ):
            found[version] = found.get(version, 0) + rows
    return found


SEALED = (("vault_identifiers", "ciphertext"), ("owner_secrets", "ciphertext"), ("erasures", "sealed"))


def _all(conn: psycopg.Connection, secrets: Secrets, ring: Keyring, version: int, batch: Batch, done: Done) -> int:
    last, total = None, 0
    while True:
        with conn.transaction():
            in_use(conn, secrets)
            rows, last = batch(conn, secrets, ring, version, last)
        if last is None:
            return total
        total += rows
        done(rows)


def _index(conn: psycopg.Connection, secrets: Secrets, _: Keyring, version: int, last: Any) -> tuple[int, Any]:
    """Look-ups need the identifier, which is in memory for a moment."""
    rows = conn.execute(
        "select sequence, kind, subject_key, ciphertext, lookup from vault_identifiers where sequence > %s"
        " order by sequence limit %s for update",
        [last or 0, BATCH],
        binary=True,
    ).fetchall()
    old = [row for row in rows if not row[4].startswith(head(version))]
    moved = []
    for sequence, kind, key, sealed, _lookup in old:
        clear = secrets.vault.open(sealed, vault.associated(kind, key)).decode()
        moved.append((vault.lookup(secrets, version, kind, clear), sequence))
    with conn.cursor() as cursor:
        cursor.executemany("update vault_identifiers set lookup = %s where sequence = %s", moved)
    return len(moved), rows[-1][0] if rows else None


def _sealed(table: str, column: str, key: str, associated: Callable[..., bytes], named: str) -> Batch:
    """Batches of one table, in the order of `key`; `named` are the columns that its ciphertext is bound to."""

    def batch(conn: psycopg.Connection, _: Secrets, ring: Keyring, version: int, last: Any) -> tuple[int, Any]:
        after = "true" if last is None else f"{key} > %(last)s"
        rows = conn.execute(
            f"select {key}, {column}, {named} from {table} where {column} is not null and {after}"
            f" order by {key} limit %(batch)s for update",
            {"last": last, "batch": BATCH},
            binary=True,
        ).fetchall()
        anew = [
            (ring.seal(version, ring.open(sealed, associated(*rest)), associated(*rest)), at)
            for at, sealed, *rest in rows
            if not sealed.startswith(head(version))
        ]
        with conn.cursor() as cursor:
            cursor.executemany(f"update {table} set {column} = %s where {key} = %s", anew)
        return len(anew), rows[-1][0] if rows else None

    return batch


BATCHES: dict[str, tuple[Batch, ...]] = {
    "index": (_index,),
    "vault": (
        _sealed("vault_identifiers", "ciphertext", "sequence", vault.associated, "kind, subject_key"),
        _sealed("owner_secrets", "ciphertext", "owner", owners.associated, "owner"),
        _sealed("erasures", "sealed", "number", erasures.associated, "number"),
    ),
}


@contextmanager
def _only_one(conn: psycopg.Connection) -> Iterator[None]:
    row = conn.execute("select pg_try_advisory_lock(%s)", [RUNNING]).fetchone()
    if row is None or not row[0]:
        raise DependencyDown("Another rotation is running. Wait for its end.")
    try:
        yield
    finally:
        conn.execute("select pg_advisory_unlock(%s)", [RUNNING])
