"""The vault: the only place that knows which identifier a subject key stands for.

In: a connection, the secrets, identifiers of one kind. Out: subject keys, assigned at first sight and kept for good;
or, by `reveal`, identifiers. The database holds a keyed look-up index and ciphertext, never an identifier (P10). Many
identifiers may meet in one key (`link`). Two identities that would get one key are told apart by a salted retry (F46).
"""

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import psycopg
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent.errors import WrongKeys
from consent.model import need_instant
from consent.secrets import Secrets, keyed_hashes, mac, secrets
from hanbeon.errors import IntegrityError, UsageError

__all__ = ["Secrets", "every_identifier", "find", "keyed_hashes", "keys", "link", "link_many", "reveal", "secrets"]

LOCK = 0x7661756C  # assigning is serial: two first sights of one identifier must give one key
KEY_BYTES = 8  # of the HMAC; a test shortens it to force two identities onto one key
NONCE_BYTES = 12
LONGEST_IDENTIFIER = 200


def keys(
    conn: psycopg.Connection, secrets: Secrets, kind: str, identifiers: pa.Array | Sequence[str | None], at: datetime
) -> pa.Array:
    """The subject key of each identifier, in order, assigned where it is new. NULL stays NULL. One transaction."""
    need_instant(at, "The instant of assignment")
    given = _texts(identifiers)
    by_lookup = {lookup: value for lookup, value in zip(_lookups(secrets, kind, given), given, strict=True) if value}
    with conn.transaction():
        _check_keys(conn, secrets)
        known = _known(conn, kind, by_lookup)
        if len(known) < len(by_lookup):
            conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
            known = _known(conn, kind, by_lookup)
            new = {lookup: value for lookup, value in by_lookup.items() if lookup not in known}
            known.update(_assign(conn, secrets, kind, new, at))
    by_value = {value: known[lookup] for lookup, value in by_lookup.items()}
    return pa.array([by_value[value] if value else None for value in given], pa.int64())


def find(
    conn: psycopg.Connection, secrets: Secrets, kind: str, identifiers: pa.Array | Sequence[str | None]
) -> pa.Array:
    """The subject key of each identifier, in order; NULL where the vault does not know it. Assigns nothing."""
    given = _texts(identifiers)
    lookups = _lookups(secrets, kind, given)
    with conn.transaction():
        _check_keys(conn, secrets)
        known = _known(conn, kind, {lookup for lookup in lookups if lookup})
    return pa.array([known.get(lookup) for lookup in lookups], pa.int64())


def link(
    conn: psycopg.Connection, secrets: Secrets, kind: str, identifier: str, key: int, valid_from: datetime
) -> None:
    """Add another identifier to a key: a re-issued number, a licence, a passport. Linking again changes nothing."""
    link_many(conn, secrets, kind, {key: identifier}, valid_from)


def link_many(
    conn: psycopg.Connection, secrets: Secrets, kind: str, given: Mapping[int, str], valid_from: datetime
) -> None:
    """Add one more identifier of this kind to each of these keys, in one transaction."""
    need_instant(valid_from, "The instant from which an identifier holds")
    lookups = dict(zip(given, _lookups(secrets, kind, _texts(list(given.values()))), strict=True))
    if not lookups:
        return
    with conn.transaction():
        _check_keys(conn, secrets)
        conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        if _taken(conn, set(given)) != set(given):
            raise UsageError("The vault has no such subject key. Let it assign one by an identifier first.")
        known = _known(conn, kind, lookups.values())
        if any(known.get(lookup, key) != key for key, lookup in lookups.items()):
            raise UsageError("This identifier already stands for another subject key. Two identities are never joined.")
        new = [key for key, lookup in lookups.items() if lookup not in known]
        conn.execute(
            "update vault_identifiers set valid_until = %s"
            " where subject_key = any(%s::bigint[]) and kind = %s and valid_until is null and valid_from < %s",
            [valid_from, new, kind, valid_from],
        )
        sealed = _encrypt(secrets, kind, [(key, given[key]) for key in new])
        with conn.cursor() as cursor:
            cursor.executemany(
                "insert into vault_identifiers (kind, lookup, subject_key, ciphertext, valid_from)"
                " values (%s, %s, %s, %s, %s)",
                [(kind, lookups[key], key, one, valid_from) for key, one in zip(new, sealed, strict=True)],
            )


def reveal(conn: psycopg.Connection, secrets: Secrets, kind: str, keys: pa.Array | Sequence[int]) -> pa.Table:
    """Table(_subject_key, identifier): the newest identifier of this kind for each key that has one.

    Identifiers in clear: memory only. Raises IntegrityError when a ciphertext was moved or changed (F47).
    """
    wanted = sorted({int(k) for k in (keys.to_pylist() if hasattr(keys, "to_pylist") else keys) if k is not None})
    with conn.transaction():
        _check_keys(conn, secrets)
        rows = conn.execute(
            "select distinct on (subject_key) subject_key, ciphertext from vault_identifiers"
            " where kind = %s and subject_key = any(%s::bigint[])"
            " order by subject_key, valid_from desc, sequence desc",
            [kind, wanted],
            binary=True,
        ).fetchall()
    clear = _decrypt(secrets, [(kind, key, sealed) for key, sealed in rows])
    return pa.table(
        {"_subject_key": pa.array([r[0] for r in rows], pa.int64()), "identifier": pa.array(clear, pa.string())}
    )


def every_identifier(conn: psycopg.Connection, secrets: Secrets, keys: Sequence[int]) -> set[str]:
    """Every identifier of any kind and age that stands for one of these keys, in clear: memory only."""
    with conn.transaction():
        _check_keys(conn, secrets)
        rows = conn.execute(
            "select kind, subject_key, ciphertext from vault_identifiers where subject_key = any(%s::bigint[])",
            [list(keys)],
            binary=True,
        ).fetchall()
    return set(_decrypt(secrets, rows))


def _decrypt(secrets: Secrets, rows: Sequence[tuple[str, int, bytes]]) -> list[str]:
    cipher = AESGCM(secrets.vault)
    try:
        return [
            cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _associated(kind, key)).decode()
            for kind, key, sealed in rows
        ]
    except InvalidTag:
        raise IntegrityError(
            "A vault entry does not belong to its row: moved or changed. Nothing is revealed."
        ) from None


def _texts(identifiers: pa.Array | Sequence[str | None]) -> list[str | None]:
    """Identifiers as texts; an empty one is as good as none. A wrong one is refused without being shown."""
    values = identifiers.to_pylist() if hasattr(identifiers, "to_pylist") else list(identifiers)
    for value in values:
        if value is not None and (not isinstance(value, str) or len(value) > LONGEST_IDENTIFIER):
            raise UsageError(f"An identifier is a text of at most {LONGEST_IDENTIFIER} characters.")
    try:
        "".join(v for v in values if v).encode()
    except UnicodeEncodeError:
        raise UsageError("An identifier is not valid Unicode text.") from None
    return [value or None for value in values]


def _lookups(secrets: Secrets, kind: str, values: Iterable[str | None]) -> list[bytes]:
    """The keyed index of each identifier; empty for None."""
    index = mac(secrets.index, kind.encode() + b"\x00")
    found = []
    for value in values:
        one = index.copy()
        one.update((value or "").encode())
        found.append(one.digest() if value else b"")
    return found


def _known(conn: psycopg.Connection, kind: str, lookups: Iterable[bytes]) -> dict[bytes, int]:
    rows = conn.execute(
        "select lookup, subject_key from vault_identifiers where kind = %s and lookup = any(%s::bytea[])",
        [kind, list(lookups)],
        binary=True,
    )
    return {row[0]: row[1] for row in rows}


def _assign(
    conn: psycopg.Connection, secrets: Secrets, kind: str, new: dict[bytes, str], at: datetime
) -> dict[bytes, int]:
    """Give each new identifier a key that no other identity has, and keep both."""
    found: dict[bytes, tuple[int, int]] = {}
    taken: set[int] = set()
    waiting, attempt = sorted(new), 0  # in order of look-up, so that a batch's own order does not matter
    while waiting:
        tried = {lookup: _subject_key(secrets, kind, new[lookup], attempt) for lookup in waiting}
        taken |= _taken(conn, set(tried.values()))
        waiting = []
        for lookup, key in tried.items():
            if key in taken:
                waiting.append(lookup)
            else:
                taken.add(key)
                found[lookup] = (key, attempt)
        attempt += 1
    _keep(conn, secrets, kind, [(lookup, *found[lookup], new[lookup]) for lookup in found], at)
    return {lookup: key for lookup, (key, _) in found.items()}


def _subject_key(secrets: Secrets, kind: str, identifier: str, attempt: int) -> int:
    one = mac(secrets.subject, kind.encode() + b"\x00" + identifier.encode())
    if attempt:
        one.update(b"\x00" + str(attempt).encode())
    return int.from_bytes(one.digest()[:KEY_BYTES], "big", signed=True)


def _taken(conn: psycopg.Connection, candidates: set[int]) -> set[int]:
    found = conn.execute(
        "select subject_key from vault_subjects where subject_key = any(%s::bigint[])", [list(candidates)]
    )
    return {row[0] for row in found}


def _keep(
    conn: psycopg.Connection,
    secrets: Secrets,
    kind: str,
    assigned: list[tuple[bytes, int, int, str]],
    at: datetime,
) -> None:
    sealed = _encrypt(secrets, kind, [(key, identifier) for _, key, _, identifier in assigned])
    with conn.cursor() as cursor:
        with cursor.copy("copy vault_subjects (subject_key, kind, attempt, assigned_at) from stdin") as copy:
            for _, key, attempt, _ in assigned:
                copy.write_row((key, kind, attempt, at))
        with cursor.copy(
            "copy vault_identifiers (kind, lookup, subject_key, ciphertext, valid_from) from stdin"
        ) as copy:
            for (lookup, key, _, _), ciphertext in zip(assigned, sealed, strict=True):
                copy.write_row((kind, lookup, key, ciphertext, at))


def _associated(kind: str, key: int) -> bytes:
    """What a ciphertext is bound to: it decrypts in its own row alone (F47)."""
    return b"vault_identifiers\x00" + kind.encode() + b"\x00" + key.to_bytes(8, "big", signed=True)


def _encrypt(secrets: Secrets, kind: str, values: Sequence[tuple[int, str]]) -> list[bytes]:
    cipher, nonces = AESGCM(secrets.vault), os.urandom(NONCE_BYTES * len(values))
    sealed = []
    for number, (key, identifier) in enumerate(values):
        nonce = nonces[number * NONCE_BYTES : (number + 1) * NONCE_BYTES]
        sealed.append(nonce + cipher.encrypt(nonce, identifier.encode(), _associated(kind, key)))
    return sealed


def _check_keys(conn: psycopg.Connection, secrets: Secrets) -> None:
    """Lost key files would silently give every subject a new key: the first use leaves a check, later ones compare."""
    digest = hashlib.sha256(b"".join(h for h in keyed_hashes(secrets, "vault-key-check", secrets.checks))).digest()
    row = conn.execute("select digest from vault_key_checks where name = 'all'").fetchone()
    if row is None:
        conn.execute("insert into vault_key_checks values ('all', %s) on conflict do nothing", [digest])
        row = conn.execute("select digest from vault_key_checks where name = 'all'").fetchone()
    if row is None or not hmac.compare_digest(bytes(row[0]), digest):
        raise WrongKeys("The key files are not those that this vault was filled with. Put the right ones back.")
