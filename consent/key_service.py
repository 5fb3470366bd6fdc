"""The key service: who holds the keys, behind four functions, so that files or a server may do it (P10).

In: settings. Out: a `KeyService`: key material by name and version. A version is made once, never changed, and
destroyed for good. Which version is in use is not its business: the ledger's database says so (`consent.key_versions`).
Names are `subject`, `ids`, `index`, `vault`, `log-signing`, `document-signing` and `holds/<hold id>`.
"""

from functools import cache
from pathlib import Path
from typing import Protocol

from consent.key_files import FileKeys
from hanbeon.errors import SettingsError
from hanbeon.settings import KeysSettings, Settings

FILES, SERVER = "files", "vault"


class KeyService(Protocol):
    """Versions count from 1. Every call raises DependencyDown when the service does not answer."""

    @property
    def where(self) -> str:
        """Where the keys are, for messages."""

    def held(self, name: str) -> set[int]:
        """The versions of this key that are there."""

    def material(self, name: str, version: int) -> bytes:
        """The 32 bytes of a version. Raises WrongKeys when it is not there."""

    def make(self, name: str, version: int) -> bytes:
        """Make a version where it is missing; the first of two makers wins, and both get the same bytes."""

    def destroy(self, name: str, version: int) -> None:
        """Destroy a version for good. Nothing happens where it is not there."""


def of_settings(settings: Settings) -> KeyService:
    """The service that the settings choose."""
    return _chosen(settings.keys, settings.keys_path)


@cache
def _chosen(keys: KeysSettings, keys_path: Path) -> KeyService:
    """One for a process, so that a server is asked once for each key and not once for each row."""
    if keys.service == FILES:
        return FileKeys(keys_path)
    if keys.service != SERVER:
        raise SettingsError(f"Setting keys.service is {FILES} or {SERVER}.")
    from consent.key_server import server_keys

    return server_keys(keys)
