"""The vault: the only place that knows which identifier a subject key stands for.

In: a connection, the secrets, identifiers of one kind. Out: subject keys, assigned at first sight and kept for good;
or, by `reveal`, identifiers. The database holds a keyed look-up index and ciphertext, never an identifier (P10). Many
identifiers may meet in one key (`link`). Two identities that would get one key are told apart by a salted retry (F46).
Look-up index and encryption rotate (`consent.rotation`): rows of two versions are read side by side meanwhile (F47).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import psycopg
import pyarrow as pa

from consent.ciphers import seal, unseal
from consent.key_versions import Standing, standing
from consent.model import need_instant
from consent.secrets import Secrets, keyed_hashes, mac, secrets
from hanbeon.errors import UsageError

__all__ = ["Secrets", "every_identifier", "find", "keyed_hashes", "keys", "link", "link_many", "reveal", "secrets"]

LOCK = 0x7661756C  # assigning is serial: two first sights of one identifier must give one key
KEY_BYTES = 8  # of the HMAC; a test shortens it to force two identities onto one key
COLUMN = "vault_identifiers.ciphertext"
LONGEST_IDENTIFIER = 200


def keys(
    conn: psycopg.Connection, secrets: Secrets, kind: str, identifiers: pa.Array | Sequence[str | None], at: datetime
) -> pa.Array:
    """The subject key of each identifier, in order, assigned where it is new. NULL stays NULL. One transaction."""
    need_instant(at, "The instant of assignment")
    given = _texts(identifiers)
    values = {value for value in given if value}
    with conn.transaction():
        now = standing(conn, secrets)
        known = _known(conn, secrets, now, kind, values)
        if len(known) < len(values):
            conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
            known = _known(conn, secrets, now, kind, values)
            known |= _assign(conn, secrets, now, kind, values - known.keys(), at)
    return pa.array([known[value] if value else None for value in given], pa.int64())


def find(
    conn: psycopg.Connection, secrets: Secrets, kind: str, identifiers: pa.Array | Sequence[str | None]
) -> pa.Array:
    """The subject key of each identifier, in order; NULL where the vault does not know it. Assigns nothing."""
    given = _texts(identifiers)
    with conn.transaction():
        known = _known(conn, secrets, standing(conn, secrets), kind, {value for value in given if value})
    return pa.array([known.get(value or "") for value in given], pa.int64())


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
    _texts(list(given.values()))
    if not given:
        return
    with conn.transaction():
        now = standing(conn, secrets)
        conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        if _taken(conn, set(given)) != set(given):
            raise UsageError("The vault has no such subject key. Let it assign one by an identifier first.")
        known = _known(conn, secrets, now, kind, given.values())
        if any(known.get(value, key) != key for key, value in given.items()):
            raise UsageError("This identifier already stands for another subject key. Two identities are never joined.")
        new = {key: value for key, value in given.items() if value not in known}
        conn.execute(
            "update vault_identifiers set valid_until = %s"
            " where subject_key = any(%s::bigint[]) and kind = %s and valid_until is null and valid_from < %s",
            [valid_from, list(new), kind, valid_from],
        )
        _insert(conn, secrets, now, kind, list(new.items()), valid_from)


def reveal(conn: psycopg.Connection, secrets: Secrets, kind: str, keys: pa.Array | Sequence[int]) -> pa.Table:
    """Table(_subject_key, identifier): the newest identifier of this kind for each key that has one.

    Identifiers in clear: memory only. Raises IntegrityError when a ciphertext was moved or changed (F47).
    """
    wanted = sorted({int(k) for k in (keys.to_pylist() if hasattr(keys, "to_pylist") else keys) if k is not None})
    with conn.transaction():
        standing(conn, secrets)
        rows = conn.execute(
            "select distinct on (subject_key) kind, subject_key, lookup, key_version, ciphertext"
            " from vault_identifiers where kind = %s and subject_key = any(%s::bigint[])"
            " order by subject_key, valid_from desc, sequence desc",
            [kind, wanted],
            binary=True,
        ).fetchall()
        clear = _decrypt(secrets, rows)
    return pa.table(
        {"_subject_key": pa.array([r[1] for r in rows], pa.int64()), "identifier": pa.array(clear, pa.string())}
    )


def every_identifier(conn: psycopg.Connection, secrets: Secrets, keys: Sequence[int]) -> set[str]:
    """Every identifier of any kind and age that stands for one of these keys, in clear: memory only."""
    with conn.transaction():
        standing(conn, secrets)
        rows = conn.execute(
            "select kind, subject_key, lookup, key_version, ciphertext from vault_identifiers"
            " where subject_key = any(%s::bigint[])",
            [list(keys)],
            binary=True,
        ).fetchall()
        return set(_decrypt(secrets, rows))


def row_id(kind: str, lookup: bytes, key: int) -> bytes:
    """What names a row of identifiers: its ciphertext opens there alone, not even beside another of the same person."""
    return kind.encode() + b"\x00" + lookup + key.to_bytes(8, "big", signed=True)


def _decrypt(secrets: Secrets, rows: Sequence[tuple[str, int, bytes, int, bytes]]) -> list[str]:
    given = [(version, row_id(kind, lookup, key), sealed) for kind, key, lookup, version, sealed in rows]
    return [clear.decode() for clear in unseal(secrets, COLUMN, given)]


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


def lookups(secrets: Secrets, version: int, kind: str, values: Iterable[str]) -> list[bytes]:
    """The keyed index of each identifier under one version of its key."""
    index = mac(secrets.material("index", version), kind.encode() + b"\x00")
    found = []
    for value in values:
        one = index.copy()
        one.update(value.encode())
        found.append(one.digest())
    return found


def _known(
    conn: psycopg.Connection, secrets: Secrets, now: Standing, kind: str, values: Iterable[str]
) -> dict[str, int]:
    """The keys of those identifiers that have one, looked up at one instant under every version that rows are on."""
    given = list(values)
    by_lookup = {
        lookup: value
        for version in now.index_readable
        for lookup, value in zip(lookups(secrets, version, kind, given), given, strict=True)
    }
    rows = conn.execute(
        "select lookup, subject_key from vault_identifiers where kind = %s and lookup = any(%s::bytea[])",
        [kind, list(by_lookup)],
        binary=True,
    )
    return {by_lookup[row[0]]: row[1] for row in rows}


def _assign(
    conn: psycopg.Connection, secrets: Secrets, now: Standing, kind: str, new: set[str], at: datetime
) -> dict[str, int]:
    """Give each new identifier a key that no other identity has, and keep both."""
    found: dict[str, tuple[int, int]] = {}
    taken: set[int] = set()
    waiting, attempt = sorted(new), 0  # sorted, so that a batch's own order does not matter
    while waiting:
        tried = {value: _subject_key(secrets, kind, value, attempt) for value in waiting}
        taken |= _taken(conn, set(tried.values()))
        waiting = []
        for value, key in tried.items():
            if key in taken:
                waiting.append(value)
            else:
                taken.add(key)
                found[value] = (key, attempt)
        attempt += 1
    with (
        conn.cursor() as cursor,
        cursor.copy("copy vault_subjects (subject_key, kind, attempt, assigned_at) from stdin") as copy,
    ):
        for key, attempt in found.values():
            copy.write_row((key, kind, attempt, at))
    _insert(conn, secrets, now, kind, [(key, value) for value, (key, _) in found.items()], at)
    return {value: key for value, (key, _) in found.items()}


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


def _insert(
    conn: psycopg.Connection, secrets: Secrets, now: Standing, kind: str, given: Sequence[tuple[int, str]], at: datetime
) -> None:
    """Keep identifiers beside their keys, on the versions of now."""
    found = lookups(secrets, now.index, kind, [value for _, value in given])
    rows = [(row_id(kind, one, key), value.encode()) for (key, value), one in zip(given, found, strict=True)]
    sealed = seal(secrets, now.vault, COLUMN, rows)
    with (
        conn.cursor() as cursor,
        cursor.copy(
            "copy vault_identifiers (kind, lookup, index_version, subject_key, ciphertext, key_version, valid_from)"
            " from stdin"
        ) as copy,
    ):
        for (key, _), lookup, ciphertext in zip(given, found, sealed, strict=True):
            copy.write_row((kind, lookup, now.index, key, ciphertext, now.vault, at))
