"""Keys as files of one folder, the default key service: `<name>.key` is version 1, `<name>.<n>.key` version n.

In: the folder. Out: 32 random bytes each, made at first use, readable by their owner alone.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from consent.errors import WrongKeys
from hanbeon.errors import DependencyDown, IntegrityError

KEY_BYTES = 32


@dataclass(frozen=True)
class FileKeys:
    """`consent.key_service.KeyService` over the files of a folder."""

    folder: Path

    @property
    def where(self) -> str:
        return f"the folder {self.folder}"

    def held(self, name: str) -> set[int]:
        path = self._path(name, 1)
        pattern = re.compile(re.escape(path.stem) + r"(?:\.([1-9][0-9]*))?\.key")
        found = (pattern.fullmatch(p.name) for p in path.parent.glob("*.key"))
        return {int(m[1] or 1) for m in found if m}

    def material(self, name: str, version: int) -> bytes:
        if not self._path(name, version).exists():
            raise WrongKeys(
                f"Version {version} of the key {name} is not in {self.where}, but the ledger's database was filled "
                "with it. Put the right key files back: those that belong to this state of the database."
            )
        return self.make(name, version)

    def make(self, name: str, version: int) -> bytes:
        try:
            return key_file(self._path(name, version))
        except OSError as error:
            raise DependencyDown(f"The keys under {self.folder} cannot be read or made: {error.strerror}.") from error

    def destroy(self, name: str, version: int) -> None:
        path = self._path(name, version)
        if path.exists():
            path.unlink()
            _sync(path.parent)

    def _path(self, name: str, version: int) -> Path:
        return self.folder / (f"{name}.key" if version == 1 else f"{name}.{version}.key")


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
            _sync(path.parent)
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


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
