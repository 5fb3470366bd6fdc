"""Which versions of the rotating keys the database's rows may be under, and whether the keys are the right ones (F47).

In: a connection in a transaction, and the secrets. Out: `InUse`, which holds until the transaction ends: a rotation
begins and ends only when nobody writes under what it changes. The first use of a version leaves a check, later ones
compare: lost or swapped keys would silently give every subject a new key.
"""

import hashlib
import hmac
from dataclasses import dataclass

import psycopg

from consent.errors import WrongKeys
from consent.secrets import Secrets, keyed_hashes

LOCK = 0x6B657973
TABLES = """
create table if not exists key_versions (
    name text primary key,
    oldest integer not null,
    current integer not null,
    check (0 < oldest and oldest <= current)
);
create table if not exists vault_key_checks (
    name text not null,
    version integer not null,  -- 0 for a key that never rotates
    digest bytea not null,
    primary key (name, version)
);
"""


@dataclass(frozen=True)
class Versions:
    """New rows are under `current`; a rotation that is not done leaves some under older ones, down to `oldest`."""

    oldest: int
    current: int

    @property
    def versions(self) -> range:
        return range(self.oldest, self.current + 1)


@dataclass(frozen=True)
class InUse:
    index: Versions
    vault: Versions


def in_use(conn: psycopg.Connection, secrets: Secrets) -> InUse:
    """Raises WrongKeys for keys that are not those of this database, IntegrityError when one in use is gone."""
    conn.execute("select pg_advisory_xact_lock_shared(%s)", [LOCK])
    found = versions(conn)
    for ring in secrets.rings:
        if ring.name not in found:
            newest = ring.newest()
            conn.execute(
                "insert into key_versions values (%s, %s, %s) on conflict do nothing", [ring.name, newest, newest]
            )
            found = versions(conn)
    use = InUse(**found)
    _check(conn, secrets, use)
    return use


def versions(conn: psycopg.Connection) -> dict[str, Versions]:
    rows = conn.execute("select name, oldest, current from key_versions").fetchall()
    return {name: Versions(oldest, current) for name, oldest, current in rows}


def alone(conn: psycopg.Connection) -> None:
    """Wait until nobody else's transaction uses a key, and let nobody begin until this transaction ends."""
    conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])


def _check(conn: psycopg.Connection, secrets: Secrets, use: InUse) -> None:
    wanted = {("subject", 0): secrets.subject, ("ids", 0): secrets.ids}
    for ring in secrets.rings:
        wanted |= {(ring.name, version): ring.key(version) for version in getattr(use, ring.name).versions}
    digests = {at: _digest(secrets, key) for at, key in wanted.items()}
    held = _held(conn)
    if digests.keys() - held.keys():
        with conn.cursor() as cursor:
            cursor.executemany(
                "insert into vault_key_checks values (%s, %s, %s) on conflict do nothing",
                [(*at, digest) for at, digest in digests.items()],
            )
        held = _held(conn)
    if any(not hmac.compare_digest(held[at], digest) for at, digest in digests.items()):
        raise WrongKeys("The key files are not those that this vault was filled with. Put the right ones back.")


def _held(conn: psycopg.Connection) -> dict[tuple[str, int], bytes]:
    rows = conn.execute("select name, version, digest from vault_key_checks").fetchall()
    return {(name, version): bytes(digest) for name, version, digest in rows}


def _digest(secrets: Secrets, key: bytes) -> bytes:
    (digest,) = keyed_hashes(secrets, "vault-key-check", [hashlib.sha256(b"check\x00" + key).digest()])
    return digest
