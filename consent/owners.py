"""One random secret for each owner of rows and events; destroying it makes what rests on it meaningless (P4).

In: a connection, the vault's secrets, owners as bytes (a subject key as 8 bytes, a pairwise id as 16). Out: 32-byte
secrets, from which the salts of the owner's row commitments and the key of its sealed evidence are derived. The
database holds them encrypted under the vault's key, bound to their row.
"""

import os
from collections.abc import Collection
from datetime import datetime

import psycopg

from consent.ciphers import seal, unseal
from consent.key_versions import standing
from consent.secrets import Secrets, mac

TABLES = """
create table if not exists owner_secrets (
    owner bytea primary key check (length(owner) in (8, 16)),
    ciphertext bytea not null,
    key_version integer not null
);
"""
SECRET_BYTES = 32
COLUMN = "owner_secrets.ciphertext"


def owner_of_key(subject_key: int) -> bytes:
    """A subject key as the owner of its rows: 8 bytes, signed, big-endian."""
    return subject_key.to_bytes(8, "big", signed=True)


def known(conn: psycopg.Connection, secrets: Secrets, owners: Collection[bytes]) -> dict[bytes, bytes]:
    """The secrets of those owners that have one. Raises IntegrityError when a ciphertext was moved or changed."""
    with conn.transaction():
        standing(conn, secrets)
        rows = conn.execute(
            "select key_version, owner, ciphertext from owner_secrets where owner = any(%s::bytea[])",
            [list(owners)],
            binary=True,
        ).fetchall()
        return dict(zip([owner for _, owner, _ in rows], unseal(secrets, COLUMN, rows), strict=True))


def secrets_of(conn: psycopg.Connection, secrets: Secrets, owners: Collection[bytes]) -> dict[bytes, bytes]:
    """The secret of every owner, made where it is missing. Two that make one at once get the same."""
    found = known(conn, secrets, owners)
    missing = sorted(set(owners) - found.keys())
    if not missing:
        return found
    with conn.transaction():
        version = standing(conn, secrets).vault
        sealed = seal(secrets, version, COLUMN, [(owner, os.urandom(SECRET_BYTES)) for owner in missing])
        with conn.cursor() as cursor:
            cursor.executemany(
                "insert into owner_secrets (owner, ciphertext, key_version) values (%s, %s, %s) on conflict do nothing",
                [(owner, one, version) for owner, one in zip(missing, sealed, strict=True)],
            )
        return found | known(conn, secrets, missing)


def destroy(conn: psycopg.Connection, owners: Collection[bytes], at: datetime) -> int:
    """Forget these secrets for good; how many there were.

    Whoever granted what is in force, or what ended by itself and whose data life is not over, keeps hers: it seals the
    evidence of that grant, rows or no rows. Withdrawing ends that too.
    """
    with conn.transaction():
        gone = set(owners) - _grantors(conn, at)
        return conn.execute("delete from owner_secrets where owner = any(%s::bytea[])", [list(gone)]).rowcount


def destroy_but(conn: psycopg.Connection, held: Collection[bytes], at: datetime) -> int:
    """Forget the secret of everybody but those who own rows, and those who `destroy` spares; how many there were."""
    with conn.transaction():
        kept = set(held) | _grantors(conn, at)
        return conn.execute("delete from owner_secrets where owner <> all(%s::bytea[])", [list(kept)]).rowcount


def _grantors(conn: psycopg.Connection, at: datetime) -> set[bytes]:
    rows = conn.execute(
        "select distinct grantor_key from authorisations where grantor_key is not null and (state in"
        " ('granted', 'paused') or (state in ('expired', 'consumed') and retain_until > %s))",
        [at],
    )
    return {owner_of_key(row[0]) for row in rows}


def derive(secret: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose: HMAC-SHA256, as HKDF-Expand does for a single block."""
    return mac(secret, purpose.encode()).digest()


def blinding_key(secrets: Secrets, table: str, bucket: int) -> bytes:
    """What blinds the owners of one bucket of a table in its subject root (docs/proof.md, section 3)."""
    return mac(mac(secrets.ids, b"subject-root").digest(), f"{table}\x00{bucket}".encode()).digest()
