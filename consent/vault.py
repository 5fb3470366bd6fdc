"""The vault: the only place that knows which identifier a subject key stands for.

In: a connection, the secrets, identifiers of one kind. Out: subject keys, assigned at first sight and kept for good;
or, by `reveal`, identifiers. The database holds a keyed look-up index and ciphertext, never an identifier (P10). Many
identifiers may meet in one key (`link`). Two identities that would get one key are told apart by a salted retry (F46).
While the index rotates, a person is looked for under every version in use, so that nobody gets a second key (F47).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import psycopg
import pyarrow as pa
from cryptography.exceptions import InvalidTag

from consent.keyring import head
from consent.keys_in_use import InUse, in_use
from consent.model import need_instant
from consent.secrets import Secrets, keyed_hashes, mac, secrets
from hanbeon.errors import IntegrityError, UsageError

__all__ = ["Secrets", "every_identifier", "find", "keyed_hashes", "keys", "link", "link_many", "reveal", "secrets"]

LOCK = 0x7661756C  # assigning is serial: two first sights of one identifier must give one key
KEY_BYTES = 8  # of the HMAC; a test shortens it to force two identities onto one key
LONGEST_IDENTIFIER = 200


def keys(
    conn: psycopg.Connection, secrets: Secrets, kind: str, identifiers: pa.Array | Sequence[str | None], at: datetime
) -> pa.Array:
    """The subject key of each identifier, in order, assigned where it is new. NULL stays NULL. One transaction."""
    need_instant(at, "The instant of assignment")
    given = _texts(identifiers)
    values = list(dict.fromkeys(value for value in given if value))
    with conn.transaction():
        use = in_use(conn, secrets)
        known = _known(conn, secrets, use, kind, values)
        if len(known) < len(values):
            conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
            known = _known(conn, secrets, use, kind, values)
            new = [value for value in values if value not in known]
            known.update(_assign(conn, secrets, use, kind, new, at))
    return pa.array([known[value] if value else None for value in given], pa.int64())


def find(
    conn: psycopg.Connection, secrets: Secrets, kind: str, identifiers: pa.Array | Sequence[str | None]
) -> pa.Array:
    """The subject key of each identifier, in order; NULL where the vault does not know it. Assigns nothing."""
    given = _texts(identifiers)
    with conn.transaction():
        known = _known(conn, secrets, in_use(conn, secrets), kind, {value for value in given if value})
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
    texts = dict(zip(given, _texts(list(given.values())), strict=True))
    if None in texts.values():
        raise UsageError("An empty identifier stands for nobody.")
    if not texts:
        return
    with conn.transaction():
        use = in_use(conn, secrets)
        conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        if _taken(conn, set(given)) != set(given):
            raise UsageError("The vault has no such subject key. Let it assign one by an identifier first.")
        known = _known(conn, secrets, use, kind, [text for text in texts.values() if text])
        if any(known.get(str(text), key) != key for key, text in texts.items()):
            raise UsageError("This identifier already stands for another subject key. Two identities are never joined.")
        new = [key for key, text in texts.items() if text not in known]
        lookups = dict(zip(new, _lookups(secrets, use.index.current, kind, [given[k] for k in new]), strict=True))
        conn.execute(
            "update vault_identifiers set valid_until = %s"
            " where subject_key = any(%s::bigint[]) and kind = %s and valid_until is null and valid_from < %s",
            [valid_from, new, kind, valid_from],
        )
        sealed = _encrypt(secrets, use, kind, [(key, given[key]) for key in new])
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
        in_use(conn, secrets)
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
        in_use(conn, secrets)
        rows = conn.execute(
            "select kind, subject_key, ciphertext from vault_identifiers where subject_key = any(%s::bigint[])",
            [list(keys)],
            binary=True,
        ).fetchall()
    return set(_decrypt(secrets, rows))


def _decrypt(secrets: Secrets, rows: Sequence[tuple[str, int, bytes]]) -> list[str]:
    try:
        return [secrets.vault.open(sealed, associated(kind, key)).decode() for kind, key, sealed in rows]
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


def lookup(secrets: Secrets, version: int, kind: str, value: str) -> bytes:
    """How one identifier is found under a version of the index key: that version, then HMAC-SHA256."""
    return _lookups(secrets, version, kind, [value])[0]


def _lookups(secrets: Secrets, version: int, kind: str, values: Iterable[str]) -> list[bytes]:
    index, start, found = mac(secrets.index.key(version), kind.encode() + b"\x00"), head(version), []
    for value in values:
        one = index.copy()
        one.update(value.encode())
        found.append(start + one.digest())
    return found


def _known(
    conn: psycopg.Connection, secrets: Secrets, use: InUse, kind: str, values: Collection[str]
) -> dict[str, int]:
    """The keys of those identifiers that the vault knows, under whichever version of the index."""
    by_lookup = {
        one: value
        for version in use.index.versions
        for one, value in zip(_lookups(secrets, version, kind, values), values, strict=True)
    }
    rows = conn.execute(
        "select lookup, subject_key from vault_identifiers where kind = %s and lookup = any(%s::bytea[])",
        [kind, list(by_lookup)],
        binary=True,
    )
    return {by_lookup[row[0]]: row[1] for row in rows}


def _assign(
    conn: psycopg.Connection, secrets: Secrets, use: InUse, kind: str, values: Sequence[str], at: datetime
) -> dict[str, int]:
    """Give each new identifier a key that no other identity has, and keep both."""
    new = dict(zip(_lookups(secrets, use.index.current, kind, values), values, strict=True))
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
    _keep(conn, secrets, use, kind, [(lookup, *found[lookup], new[lookup]) for lookup in found], at)
    return {new[lookup]: key for lookup, (key, _) in found.items()}


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
    use: InUse,
    kind: str,
    assigned: list[tuple[bytes, int, int, str]],
    at: datetime,
) -> None:
    sealed = _encrypt(secrets, use, kind, [(key, identifier) for _, key, _, identifier in assigned])
    with conn.cursor() as cursor:
        with cursor.copy("copy vault_subjects (subject_key, kind, attempt, assigned_at) from stdin") as copy:
            for _, key, attempt, _ in assigned:
                copy.write_row((key, kind, attempt, at))
        with cursor.copy(
            "copy vault_identifiers (kind, lookup, subject_key, ciphertext, valid_from) from stdin"
        ) as copy:
            for (lookup, key, _, _), ciphertext in zip(assigned, sealed, strict=True):
                copy.write_row((kind, lookup, key, ciphertext, at))


def associated(kind: str, key: int) -> bytes:
    """What a ciphertext is bound to: it decrypts in its own row alone (F47)."""
    return b"vault_identifiers\x00" + kind.encode() + b"\x00" + key.to_bytes(8, "big", signed=True)


def _encrypt(secrets: Secrets, use: InUse, kind: str, values: Sequence[tuple[int, str]]) -> list[bytes]:
    version = use.vault.current
    return [secrets.vault.seal(version, identifier.encode(), associated(kind, key)) for key, identifier in values]
