"""Keys that rotate: named, versioned, from a key service; and ciphertext that says which version made it (P10, F47).

In: a key service and a name. Out: `Keyring`, which seals bytes under one version and opens those of any version that
is left. A sealed value is `u16 version ‖ nonce (12) ‖ AES-256-GCM`, with associated data that names its row and column.
Which versions are in use is the database's word, not the process's (`consent.keys_in_use`).
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent.disk import sync_folder
from consent.key_files import KEY_BYTES, key_file
from hanbeon.errors import IntegrityError, UsageError

NONCE_BYTES, VERSION_BYTES = 12, 2
NEWEST = 2 ** (8 * VERSION_BYTES) - 1


class KeyService(Protocol):
    """What a key service does for us. Versions count from 1; a key is 32 bytes."""

    def versions(self, name: str) -> tuple[int, ...]:
        """Those that can be read, ascending; empty for a key that was never made."""

    def read(self, name: str, version: int) -> bytes:
        """Raises IntegrityError when this version is gone, DependencyDown when the service does not answer."""

    def add(self, name: str) -> int:
        """Make the next version; two that make the first one at once get the same."""

    def destroy(self, name: str, version: int) -> None:
        """Forget a version for good. Said again it changes nothing."""


@dataclass(frozen=True)
class FileKeys:
    """Files in a folder: `vault.key` is the first version of `vault`, `vault.2.key` the second."""

    folder: Path

    def versions(self, name: str) -> tuple[int, ...]:
        found = [path.name.split(".")[1:-1] for path in self.folder.glob(f"{name}.*key")]
        return tuple(sorted(int(middle[0]) if middle else 1 for middle in found if len(middle) < 2))

    def read(self, name: str, version: int) -> bytes:
        path = self._path(name, version)
        if not path.exists():
            raise IntegrityError(
                f"Version {version} of the key {name} is gone. Restore {path.name}, or a newer state of the database."
            )
        return key_file(path)

    def add(self, name: str) -> int:
        version = max(self.versions(name), default=0) + 1
        key_file(self._path(name, version))
        return version

    def destroy(self, name: str, version: int) -> None:
        self._path(name, version).unlink(missing_ok=True)
        sync_folder(self.folder)

    def _path(self, name: str, version: int) -> Path:
        return self.folder / (f"{name}.key" if version == 1 else f"{name}.{version}.key")


@dataclass(frozen=True)
class Keyring:
    """One named key in all its versions. What was read once is kept in memory, never printed."""

    name: str
    service: KeyService
    _keys: dict[int, bytes] = field(default_factory=dict, repr=False, compare=False)

    def key(self, version: int) -> bytes:
        if version not in self._keys:
            key = self.service.read(self.name, version)
            if len(key) != KEY_BYTES:
                raise IntegrityError(f"Version {version} of the key {self.name} is not {KEY_BYTES} bytes. Restore it.")
            self._keys[version] = key
        return self._keys[version]

    def newest(self) -> int:
        """Of those that the service has; the first is made when there is none."""
        return max(self.service.versions(self.name), default=0) or self.service.add(self.name)

    def seal(self, version: int, clear: bytes, associated: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return head(version) + nonce + AESGCM(self.key(version)).encrypt(nonce, clear, associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Raises InvalidTag for what was moved or changed, IntegrityError when its version is gone."""
        version, body = version_of(sealed), sealed[VERSION_BYTES:]
        return AESGCM(self.key(version)).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], associated)


def head(version: int) -> bytes:
    """How a sealed value and a look-up begin."""
    if not 0 < version <= NEWEST:
        raise UsageError(f"A key has at most {NEWEST} versions.")
    return version.to_bytes(VERSION_BYTES, "big")


def version_of(sealed: bytes) -> int:
    return int.from_bytes(sealed[:VERSION_BYTES], "big")
