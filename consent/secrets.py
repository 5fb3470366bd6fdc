"""The keys of vault and keyed hashes, as a run has them.

In: a key service, or the folder of key files. Out: `Secrets`, and hashes under a key for one purpose each.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from consent.key_files import FileKeys
from consent.key_service import KeyService

LASTING = ("subject", "ids")  # they name subjects and rows for good
ROTATING = ("index", "vault")


@dataclass(frozen=True)
class Secrets:
    """Two keys of 32 bytes that last, never printed, and the service that holds the versions of those that rotate."""

    subject: bytes = field(repr=False)
    ids: bytes = field(repr=False)
    service: KeyService = field(repr=False)

    def material(self, name: str, version: int) -> bytes:
        """A version of any of the four. Raises WrongKeys when the service has lost it."""
        return bytes(getattr(self, name)) if name in LASTING else self.service.material(name, version)


def secrets(keys_path: Path) -> Secrets:
    """Read the key files, making those that are missing. Raises DependencyDown or IntegrityError naming the file."""
    return secrets_from(FileKeys(keys_path))


def secrets_from(service: KeyService) -> Secrets:
    """What the service holds; the first version of what it never held is made."""
    subject, ids = (service.make(name, 1) for name in LASTING)
    for name in ROTATING:
        newest = max(service.held(name), default=0)
        if newest:
            service.material(name, newest)
        else:
            service.make(name, 1)
    return Secrets(subject, ids, service)


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
