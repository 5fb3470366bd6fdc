"""Which version of each key is in use: the ledger's database says so, the key service only holds them (F47).

In: a connection inside of a transaction, the secrets. Out: `Standing`: the versions to write with and to read with.
The database keeps a digest of each version, so that lost, swapped or put-back keys are noticed before anybody gets a
second subject key. Whoever asks holds a shared lock until the transaction ends; `consent.rotation` changes versions
under the same lock alone, so nobody writes with a version that has been left.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

import psycopg

from consent.errors import WrongKeys
from consent.key_service import KeyService
from consent.secrets import LASTING, ROTATING, Secrets

LOCK = 0x6B657973
TABLES = """
create table if not exists key_versions (
    name text not null,
    version integer not null check (version > 0),
    digest bytea not null check (length(digest) = 32),
    state text not null check (state in ('current', 'old', 'leaving', 'destroyed')),
    made_at timestamptz not null default now(),
    destroyed_at timestamptz,
    primary key (name, version),
    check ((state = 'destroyed') = (destroyed_at is not null))
);
create unique index if not exists key_versions_one_current on key_versions (name) where state = 'current';
"""


@dataclass(frozen=True)
class Standing:
    """`index` and `vault` are what new rows are written with; look-ups are made under every one of `index_readable`."""

    index: int
    vault: int
    index_readable: tuple[int, ...]


def standing(conn: psycopg.Connection, secrets: Secrets) -> Standing:
    """The versions in use until this transaction ends. Raises WrongKeys when the service holds other keys."""
    conn.execute("select pg_advisory_xact_lock_shared(%s)", [LOCK])
    rows = _in_use(conn) or _adopted(conn, secrets)
    for name, version, digest, _ in rows:
        if not hmac.compare_digest(digest, digest_of(name, version, secrets.material(name, version))):
            raise WrongKeys(
                f"Version {version} of the key {name} in {secrets.service.where} is not the one that the ledger's "
                "database was filled with. Put the right keys back; nothing is assigned or revealed until then."
            )
    current = {name: version for name, version, _, state in rows if state == "current"}
    if {*LASTING, *ROTATING} - current.keys():
        raise WrongKeys("The ledger's database does not say which keys it was filled with. Restore it whole.")
    return Standing(current["index"], current["vault"], tuple(v for n, v, _, _ in rows if n == "index"))


def digest_of(name: str, version: int, material: bytes) -> bytes:
    """What the database keeps of a key: enough to know it again. 32 random bytes cannot be guessed from it."""
    return hashlib.sha256(b"hanbeon key version\x00" + f"{name}\x00{version}\x00".encode() + material).digest()


def _in_use(conn: psycopg.Connection) -> list[tuple[str, int, bytes, str]]:
    return conn.execute(
        "select name, version, digest, state from key_versions where state in ('current', 'old')"
        " order by name, version desc",
        binary=True,
    ).fetchall()


def _adopted(conn: psycopg.Connection, secrets: Secrets) -> list[tuple[str, int, bytes, str]]:
    """The first use of a database: whatever the service holds is what it will be filled with."""
    versions = dict.fromkeys(LASTING, 1) | {name: max(secrets.service.held(name), default=1) for name in ROTATING}
    with conn.cursor() as cursor:
        cursor.executemany(
            "insert into key_versions (name, version, digest, state) values (%s, %s, %s, 'current')"
            " on conflict do nothing",
            [(n, v, digest_of(n, v, secrets.material(n, v))) for n, v in sorted(versions.items())],
        )
    return _in_use(conn)


def versions(conn: psycopg.Connection) -> list[tuple[str, int, str, datetime, datetime | None]]:
    """Name, version, state, made, destroyed: all that there ever were, as the database has them."""
    with conn.transaction():
        return conn.execute(
            "select name, version, state, made_at, destroyed_at from key_versions order by name, version"
        ).fetchall()


def put_back(conn: psycopg.Connection, service: KeyService) -> list[tuple[str, int]]:
    """Versions that were destroyed and are there again: somebody has restored an old copy of the keys (F47)."""
    gone = [(name, version) for name, version, state, *_ in versions(conn) if state == "destroyed"]
    held = {name: service.held(name) for name, _ in gone}
    return [(name, version) for name, version in gone if version in held[name]]
