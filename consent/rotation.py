"""Rotation of the vault's look-up index and encryption: batch by batch, beside readers and writers (F47).

In: a connection, the secrets, the key's name. Out: what was moved. From the first moment on, new rows are written with
the new version and both are read; when a count finds no row on an old version, that version is destroyed. Killed
anywhere and run again, it goes on where it was and ends in the same state. Subject keys never change.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from consent import erasures, vault
from consent.ciphers import seal, unseal
from consent.key_versions import LOCK, Standing, digest_of, standing
from consent.secrets import ROTATING, Secrets
from hanbeon.errors import UsageError

ALONE = 0x726F7461  # one rotation at a time
BATCH = 1_000


@dataclass(frozen=True)
class Place:
    """A column that holds ciphertext, what its rows are called, and how a row is named in the ciphertext's binding."""

    table: str
    column: str
    ids: tuple[str, ...]
    row_id: Callable[..., bytes]
    version: str = "key_version"

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


IDENTIFIERS = ("kind", "lookup", "subject_key")
PLACES = {
    "vault": (
        Place("vault_identifiers", "ciphertext", IDENTIFIERS, vault.row_id),
        Place("owner_secrets", "ciphertext", ("owner",), bytes),
        Place("erasures", "sealed", ("number",), erasures.row_id),
    ),
    "index": (Place("vault_identifiers", "lookup", IDENTIFIERS, vault.row_id, "index_version"),),
}


@dataclass(frozen=True)
class Rotation:
    """`moved` counts the rows of this attempt; a resumed one finished what another had begun."""

    name: str
    version: int
    moved: int
    is_resumed: bool


def rotate(conn: psycopg.Connection, secrets: Secrets, name: str, at: datetime, size: int = BATCH) -> Rotation:
    """Bring every row onto a new version and destroy the old ones; or finish a rotation that was interrupted."""
    if name not in ROTATING:
        raise UsageError(f"Keys that rotate are {' and '.join(ROTATING)}. The others name subjects and rows for good.")
    if size < 1:
        raise UsageError("A batch has at least one row.")
    with _alone(conn):
        is_resumed = _is_begun(conn, name)
        if not is_resumed:
            _begin(conn, secrets, name, at)
        moved = 0
        while not _left(conn, name):
            moved += _pass(conn, secrets, name, size)
        _destroy(conn, secrets, name, at)
        return Rotation(name, _current(conn, name), moved, is_resumed)


def rows_on(conn: psycopg.Connection, name: str) -> dict[int, int]:
    """How many rows are on each version of a key that rotates."""
    found: dict[int, int] = {}
    with conn.transaction():
        for place in PLACES[name]:
            for version, count in conn.execute(
                f"select {place.version}, count(*) from {place.table} where {place.column} is not null group by 1"
            ).fetchall():
                found[version] = found.get(version, 0) + count
    return found


@contextmanager
def _alone(conn: psycopg.Connection) -> Iterator[None]:
    conn.execute("select pg_advisory_lock(%s)", [ALONE])
    try:
        yield
    finally:
        conn.execute("select pg_advisory_unlock(%s)", [ALONE])


def _is_begun(conn: psycopg.Connection, name: str) -> bool:
    with conn.transaction():
        row = conn.execute(
            "select 1 from key_versions where name = %s and state in ('old', 'leaving') limit 1", [name]
        ).fetchone()
    return row is not None


def _current(conn: psycopg.Connection, name: str) -> int:
    row = conn.execute("select version from key_versions where name = %s and state = 'current'", [name]).fetchone()
    assert row is not None
    return int(row[0])


def _begin(conn: psycopg.Connection, secrets: Secrets, name: str, at: datetime) -> None:
    """The new version is there before the database names it; whoever writes with the old one ends first."""
    with conn.transaction():
        standing(conn, secrets)  # a database that was filled with other keys is not rotated
        new = _current(conn, name) + 1
    material = secrets.service.make(name, new)
    with conn.transaction():
        conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        conn.execute("update key_versions set state = 'old' where name = %s and state = 'current'", [name])
        conn.execute(
            "insert into key_versions (name, version, digest, state, made_at) values (%s, %s, %s, 'current', %s)",
            [name, new, digest_of(name, new, material), at],
        )


def _left(conn: psycopg.Connection, name: str) -> bool:
    """Whether no row is on an old version any more. If so, nobody reads or writes with one from here on."""
    with conn.transaction():
        conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        if rows_on(conn, name).keys() - {_current(conn, name)}:
            return False
        conn.execute("update key_versions set state = 'leaving' where name = %s and state = 'old'", [name])
    return True


def _destroy(conn: psycopg.Connection, secrets: Secrets, name: str, at: datetime) -> None:
    """The service forgets what was left, and again what somebody has put back."""
    with conn.transaction():
        rows = conn.execute(
            "select version from key_versions where name = %s and state in ('leaving', 'destroyed')", [name]
        ).fetchall()
    for (version,) in rows:
        secrets.service.destroy(name, version)
    with conn.transaction():
        conn.execute(
            "update key_versions set state = 'destroyed', destroyed_at = %s where name = %s and state = 'leaving'",
            [at, name],
        )


def _pass(conn: psycopg.Connection, secrets: Secrets, name: str, size: int) -> int:
    """Once over every place: first what nobody else is at, then the rest, one by one and in no one's way."""
    moved = sum(_over(conn, secrets, place, size, "for update skip locked") for place in PLACES[name])
    if moved == 0:
        moved = sum(_over(conn, secrets, place, 1, "for update") for place in PLACES[name])
    return moved


def _over(conn: psycopg.Connection, secrets: Secrets, place: Place, size: int, locking: str) -> int:
    moved, after = 0, None
    while True:
        with conn.transaction():
            now = standing(conn, secrets)
            rows = _batch(conn, now, place, size, locking, after)
            if place.version == "index_version":
                _reindex(conn, secrets, now, rows)
            else:
                _recipher(conn, secrets, now, place, rows)
        moved += len(rows)
        if len(rows) < size:
            return moved
        after = rows[-1][2:]


def _batch(
    conn: psycopg.Connection, now: Standing, place: Place, size: int, locking: str, after: Sequence[Any] | None
) -> list[tuple[Any, ...]]:
    """Rows on an old version: key version, ciphertext, ids; in order of their ids, so that each is met once."""
    ids = ", ".join(place.ids)
    beyond = f" and ({ids}) > ({', '.join(['%s'] * len(place.ids))})" if after else ""
    ciphertext = "ciphertext" if place.column == "lookup" else place.column
    wanted = now.index if place.version == "index_version" else now.vault
    return conn.execute(
        f"select key_version, {ciphertext}, {ids} from {place.table}"
        f" where {place.version} <> %s and {place.column} is not null{beyond} order by {ids} limit {size} {locking}",
        [wanted, *(after or ())],
        binary=True,
    ).fetchall()


def _recipher(
    conn: psycopg.Connection, secrets: Secrets, now: Standing, place: Place, rows: list[tuple[Any, ...]]
) -> None:
    names = [place.row_id(*row[2:]) for row in rows]
    clear = unseal(secrets, place.name, [(row[0], name, row[1]) for row, name in zip(rows, names, strict=True)])
    sealed = seal(secrets, now.vault, place.name, list(zip(names, clear, strict=True)))
    where = " and ".join(f"{one} = %s" for one in place.ids)
    with conn.cursor() as cursor:
        cursor.executemany(
            f"update {place.table} set {place.column} = %s, key_version = %s where {where}",
            [(one, now.vault, *row[2:]) for row, one in zip(rows, sealed, strict=True)],
        )


def _reindex(conn: psycopg.Connection, secrets: Secrets, now: Standing, rows: list[tuple[Any, ...]]) -> None:
    """A new look-up for each identifier; its ciphertext is bound to the row's look-up, so it is made anew too."""
    given = [(version, vault.row_id(kind, lookup, key), one) for version, one, kind, lookup, key in rows]
    clear = unseal(secrets, vault.COLUMN, given)
    found = [
        vault.lookups(secrets, now.index, row[2], [value.decode()])[0] for row, value in zip(rows, clear, strict=True)
    ]
    names = [vault.row_id(row[2], lookup, row[4]) for row, lookup in zip(rows, found, strict=True)]
    sealed = seal(secrets, now.vault, vault.COLUMN, list(zip(names, clear, strict=True)))
    with conn.cursor() as cursor:
        cursor.executemany(
            "update vault_identifiers set lookup = %s, index_version = %s, ciphertext = %s, key_version = %s"
            " where kind = %s and lookup = %s",
            [
                (lookup, now.index, one, now.vault, row[2], row[3])
                for row, lookup, one in zip(rows, found, sealed, strict=True)
            ],
        )
