"""The keys of vault and keyed hashes, made at first use.

In: the folder of the key files, or a key service. Out: `Secrets`. Two keys name subjects and rows for good; those of
the vault's index and ciphertext rotate (`consent.rotation`), and a version of them is read when it is needed.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from consent.keyring import FileKeys, Keyring, KeyService
from hanbeon.errors import DependencyDown

NAMES_FOR_GOOD = ("subject", "ids")


@dataclass(frozen=True)
class Secrets:
    """32 bytes each, never printed. `subject` and `ids` name subjects and rows for good; the others rotate."""

    subject: bytes = field(repr=False)
    ids: bytes = field(repr=False)
    index: Keyring = field(repr=False)
    vault: Keyring = field(repr=False)

    @property
    def rings(self) -> tuple[Keyring, ...]:
        return self.index, self.vault


def secrets(keys_path: Path) -> Secrets:
    """Of the key files in a folder. Raises DependencyDown or IntegrityError naming the file."""
    try:
        return secrets_of_service(FileKeys(keys_path))
    except OSError as error:
        raise DependencyDown(f"The keys under {keys_path} cannot be read or made: {error.strerror}.") from error


def secrets_of_service(service: KeyService) -> Secrets:
    """Keys that were never made are made; a key that rotates is made in its first version."""
    rings = {name: Keyring(name, service) for name in (*NAMES_FOR_GOOD, "index", "vault")}
    newest = {name: ring.newest() for name, ring in rings.items()}
    for_good = {name: rings[name].key(newest[name]) for name in NAMES_FOR_GOOD}
    return Secrets(**for_good, index=rings["index"], vault=rings["vault"])


def mac(key: bytes, start: bytes = b"") -> "hmac.HMAC":
    return hmac.new(key, start, hashlib.sha256)


def keyed_hashes(secrets: Secrets, purpose: str, values: Sequence[str | bytes]) -> list[bytes]:
    """HMAC-SHA256 of each value under a key derived for this purpose, so that ids of two purposes never match."""
    base = mac(mac(secrets.ids, purpose.encode()).digest())
    found = []
    for value in values:
        one = base.copy()
        one.update(value.encode() if isinstance(value, str) else value)
        found.append(one.digest())
    return found
