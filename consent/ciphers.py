"""Ciphertext of the ledger's database: AES-256-GCM, bound to table, column, key version and row (P10, F47).

In: rows of one column, each with the bytes that name it. Out: `nonce (12) ‖ ciphertext`, or the clear bytes again.
What was moved to another row, column or version does not open.
"""

import os
from collections.abc import Iterable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent.secrets import Secrets
from hanbeon.errors import IntegrityError

NONCE_BYTES = 12
KEY = "vault"


def seal(secrets: Secrets, version: int, column: str, rows: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """Encrypt (row, clear) pairs of `table.column` under one version of the vault's key."""
    cipher, nonces, sealed = AESGCM(secrets.material(KEY, version)), os.urandom(NONCE_BYTES * len(rows)), []
    for number, (row, clear) in enumerate(rows):
        nonce = nonces[number * NONCE_BYTES : (number + 1) * NONCE_BYTES]
        sealed.append(nonce + cipher.encrypt(nonce, clear, _associated(column, version, row)))
    return sealed


def unseal(secrets: Secrets, column: str, rows: Iterable[tuple[int, bytes, bytes]]) -> list[bytes]:
    """Decrypt (version, row, sealed) of `table.column`. Raises IntegrityError when one is not of its place."""
    ciphers: dict[int, AESGCM] = {}
    found = []
    for version, row, sealed in rows:
        if version not in ciphers:
            ciphers[version] = AESGCM(secrets.material(KEY, version))
        try:
            clear = ciphers[version].decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _associated(column, version, row)
            )
        except (InvalidTag, ValueError):
            raise IntegrityError(
                f"A ciphertext of {column} does not belong to its row: moved or changed. Nothing is revealed. "
                "Restore the ledger's database."
            ) from None
        found.append(clear)
    return found


def _associated(column: str, version: int, row: bytes) -> bytes:
    return column.encode() + b"\x00" + version.to_bytes(4, "big") + row
