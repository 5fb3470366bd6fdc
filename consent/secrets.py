"""The keys of vault and keyed hashes: files under `home/keys`, made at first use, read when used.

In: the folder. Out: `Secrets`. A production key service takes this module's place; nothing else reads the files.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from hanbeon.errors import DependencyDown, IntegrityError

KEY_BYTES = 32


@dataclass(frozen=True)
class Secrets:
    """32 bytes each, never printed. Only `index` and `vault` may rotate; the others name subjects and rows for good."""

    subject: bytes = field(repr=False)
    index: bytes = field(repr=False)
    vault: bytes = field(repr=False)
    ids: bytes = field(repr=False)

    @property
    def checks(self) -> tuple[bytes, ...]:
        """One digest of each key, for noticing that files were swapped."""
        return tuple(hashlib.sha256(b"check\x00" + getattr(self, f.name)).digest() for f in fields(self))


def secrets(keys_path: Path) -> Secrets:
    """Read the key files, making those that are missing. Raises DependencyDown or IntegrityError naming the file."""
    try:
        return Secrets(**{f.name: key_file(keys_path / f"{f.name}.key") for f in fields(Secrets)})
    except OSError as error:
        raise DependencyDown(f"The keys under {keys_path} cannot be read or made: {error.strerror}.") from error


def key_file(path: Path) -> bytes:
    """32 random bytes kept in a file, made at first use.

    The file is linked into place whole, so that two first uses at once agree and a crash leaves no short key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            os.link(unfinished, path)
            folder = os.open(path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        except FileExistsError:
            pass
        finally:
            unfinished.unlink(missing_ok=True)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise IntegrityError(
            f"{path} is not a key of {KEY_BYTES} bytes. Restore it; a new one would lose every subject."
        )
    return key


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
