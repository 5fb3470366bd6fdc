"""Keys in a HashiCorp Vault or OpenBao server, by `hvac`: one secret of its KV engine (version 2) for each version.

In: address, token file, mount and path of the settings. Out: a `KeyService`. Material is read once for a process and
kept in memory, never on disk: look-ups are hashed by the million. `cas=0` lets the first of two makers win, and a
destroyed version leaves a mark in the server, so that nothing is made again under its number.
"""

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from consent.errors import WrongKeys
from consent.key_files import KEY_BYTES
from hanbeon.errors import DependencyDown, IntegrityError, SettingsError
from hanbeon.settings import KeysSettings

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
TIMEOUT_SECONDS = 10
Answer = TypeVar("Answer")


def server_keys(settings: KeysSettings) -> "ServerKeys":
    """The server that the settings name; nothing is asked yet. Raises SettingsError."""
    parts = urlsplit(settings.address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise SettingsError("Setting keys.address must be the address of the Vault server, such as https://host:8200.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise SettingsError("Setting keys.address must be https: keys never travel in clear to another machine.")
    if not settings.token_file:
        raise SettingsError("Setting keys.token_file must name the file that holds the token of the Vault server.")
    return ServerKeys(settings)


@dataclass(frozen=True)
class ServerKeys:
    """`consent.key_service.KeyService` over a server."""

    settings: KeysSettings
    known: dict[tuple[str, int], bytes] = field(default_factory=dict, repr=False, compare=False)

    @property
    def where(self) -> str:
        return f"the key server at {self.settings.address}"

    def held(self, name: str) -> set[int]:
        listed = self._ask(
            lambda kv: kv.list_secrets(path=f"{self.settings.path}/{name}", mount_point=self.settings.mount)
        )
        numbers = {int(k) for k in listed["data"]["keys"] if k.isdecimal()} if listed else set()
        return {version for version in numbers if self._read(name, version) is not None}

    def material(self, name: str, version: int) -> bytes:
        if (name, version) not in self.known:
            found = self._read(name, version)
            if found is None:
                raise WrongKeys(
                    f"Version {version} of the key {name} is not in {self.where}, but the ledger's database was "
                    "filled with it. See that keys.mount and keys.path are right, or restore the server's storage."
                )
            self.known[name, version] = found
        return self.known[name, version]

    def make(self, name: str, version: int) -> bytes:
        if (name, version) not in self.known and self._read(name, version) is None:
            text = base64.b64encode(os.urandom(KEY_BYTES)).decode()
            self._ask(
                lambda kv: kv.create_or_update_secret(
                    path=self._path(name, version),
                    secret={"material": text},
                    cas=0,
                    mount_point=self.settings.mount,
                )
            )
        return self.material(name, version)

    def destroy(self, name: str, version: int) -> None:
        self.known.pop((name, version), None)
        if self._read(name, version) is not None:
            self._ask(
                lambda kv: kv.destroy_secret_versions(
                    path=self._path(name, version), versions=[1], mount_point=self.settings.mount
                )
            )

    def _path(self, name: str, version: int) -> str:
        return f"{self.settings.path}/{name}/{version}"

    def _read(self, name: str, version: int) -> bytes | None:
        found = self._ask(
            lambda kv: kv.read_secret_version(
                path=self._path(name, version), mount_point=self.settings.mount, raise_on_deleted_version=True
            )
        )
        if found is None:
            return None
        try:
            material = base64.b64decode(found["data"]["data"]["material"], validate=True)
        except (KeyError, TypeError, ValueError):
            material = b""
        if len(material) != KEY_BYTES:
            raise IntegrityError(
                f"Version {version} of the key {name} in {self.where} is not {KEY_BYTES} bytes. Restore it; "
                "a new one would lose every subject."
            )
        return material

    def _ask(self, question: Callable[[Any], Answer]) -> Answer | None:
        """One call; None where the server has no such secret, or somebody else has just made it."""
        from hvac import exceptions
        from requests.exceptions import RequestException

        address = self.settings.address
        try:
            return question(self._client().secrets.kv.v2)
        except (exceptions.InvalidPath, exceptions.InvalidRequest) as error:
            if isinstance(error, exceptions.InvalidPath) or "check-and-set" in str(error):
                return None
            raise DependencyDown(
                f"The key server at {address} does not understand us. Is {self.settings.mount} a KV engine, version 2?"
            ) from error
        except (exceptions.Forbidden, exceptions.Unauthorized) as error:
            raise DependencyDown(
                f"The key server at {address} refuses the token. See that keys.token_file holds a valid one "
                f"whose policy opens {self.settings.mount}/{self.settings.path}."
            ) from error
        except (exceptions.VaultError, RequestException) as error:
            raise DependencyDown(
                f"The key server at {address} does not answer or is sealed. See that it is up and unsealed, "
                "then run again. Nothing was done."
            ) from error

    def _client(self) -> Any:
        import hvac

        try:
            token = Path(self.settings.token_file).read_text(encoding="ascii").strip()
        except (OSError, UnicodeError) as error:
            raise DependencyDown("The file of keys.token_file cannot be read. See that it is there.") from error
        verify: bool | str = self.settings.ca_file or True
        return hvac.Client(
            url=self.settings.address, token=token, verify=verify, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
