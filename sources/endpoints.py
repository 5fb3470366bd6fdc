"""Where each holder answers: `home/agencies/endpoints.json` in, frozen `Endpoints` out.

    {"postgres":  {"mois": "<dsn>", "nts": "<dsn>"},
     "rest":      {"mohw": {"url": "http://127.0.0.1:8080", "client_id": "...", "client_secret_file": "<path>"}},
     "court_xml": {"scourt": {"url": "...", "client_id": "...", "client_secret_file": "<path>"}},
     "file":      {"nhis": "<folder>"},
     "identity":  {"<issuer>": "<url of its token endpoint>"},
     "inbox":     {"mois": {"url": "...", "client_id": "...", "client_secret_file": "<path>"}}}

A secret is named by the file that holds it and is read when used. Adding an agency is an entry here.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hanbeon.errors import DependencyDown, SettingsError

FILE_NAME = "endpoints.json"


@dataclass(frozen=True)
class HttpEndpoint:
    """A holder's HTTP server. Without `client_id` it is asked without a token."""

    url: str
    client_id: str | None = None
    client_secret_file: str | None = None

    def secret(self, holder: str) -> str:
        """The client secret, read now. Raises SettingsError when its file cannot be read."""
        try:
            return Path(self.client_secret_file or "").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"The client secret of {holder} cannot be read. Name its file as client_secret_file in {FILE_NAME}."
            ) from error


@dataclass(frozen=True)
class Endpoints:
    """Holder (or its database) to address, for each delivery form. DSNs may carry a password: never printed."""

    postgres: Mapping[str, str] = field(default_factory=dict, repr=False)
    rest: Mapping[str, HttpEndpoint] = field(default_factory=dict)
    court_xml: Mapping[str, HttpEndpoint] = field(default_factory=dict)
    file: Mapping[str, str] = field(default_factory=dict)
    identity: Mapping[str, str] = field(default_factory=dict)
    inbox: Mapping[str, HttpEndpoint] = field(default_factory=dict)


def parse(given: Mapping[str, Any]) -> Endpoints:
    """Raises SettingsError naming what is wrong."""
    unknown = set(given) - {"postgres", "rest", "court_xml", "file", "identity", "inbox"}
    if unknown:
        raise SettingsError(f"{FILE_NAME} has unknown delivery forms: {', '.join(sorted(unknown))}.")
    try:
        return Endpoints(
            postgres={str(k): str(v) for k, v in given.get("postgres", {}).items()},
            rest={str(k): HttpEndpoint(**v) for k, v in given.get("rest", {}).items()},
            court_xml={str(k): HttpEndpoint(**v) for k, v in given.get("court_xml", {}).items()},
            file={str(k): str(v) for k, v in given.get("file", {}).items()},
            identity={str(k): str(v) for k, v in given.get("identity", {}).items()},
            inbox={str(k): HttpEndpoint(**v) for k, v in given.get("inbox", {}).items()},
        )
    except (TypeError, AttributeError) as error:
        raise SettingsError(f"{FILE_NAME} is malformed. Each holder needs a DSN, a folder, or a url.") from error


def read(path: Path) -> Endpoints:
    """Read the endpoints file. Raises DependencyDown when it is missing, SettingsError when it is malformed."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DependencyDown(f"{path.name} is missing: no agency is up. Start the world, or write the file.") from error
    except ValueError as error:
        raise SettingsError(f"{path.name} is not valid JSON. Correct it or serve the world again.") from error
    if not isinstance(given, dict):
        raise SettingsError(f"{path.name} must hold one JSON object.")
    return parse(given)


def write(path: Path, endpoints: Endpoints) -> None:
    """Write the endpoints file, readable by its owner alone, in one step."""
    draft = path.with_name(path.name + ".part")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(endpoints), ensure_ascii=False, indent=1), encoding="utf-8")
    draft.replace(path)
