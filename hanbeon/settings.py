"""Settings are read here and nowhere else.

In: `hanbeon.toml` of the working directory (or `HANBEON_CONFIG`), each key overridable as
`HANBEON_SECTION__KEY`. Out: one frozen `Settings`. Unknown keys are refused. Secrets are named
by reference (a key service, a file of a token) and read when used, never here.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hanbeon.errors import SettingsError

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class HomeSettings:
    """Where everything that a run makes lies. Deleting the folder is a fresh start."""

    path: str = "var"


@dataclass(frozen=True)
class LedgerSettings:
    """`dsn` empty: the embedded PostgreSQL under `home/postgres`."""

    dsn: str = ""


@dataclass(frozen=True)
class ConsentSettings:
    """`trust_file` names whom we believe (`consent.trust`); empty: `home/keys/trusted.json`."""

    trust_file: str = ""


@dataclass(frozen=True)
class KeysSettings:
    """Who holds the keys: `files` under `home/keys`, or `vault`, a HashiCorp Vault or OpenBao server at `address`.

    `token_file` names the file that holds the server's token; `mount` is a KV engine of version 2, `path` our part of
    it; `ca_file` the certificate authority of the server, empty: the system's."""

    service: str = "files"
    address: str = ""
    token_file: str = ""
    mount: str = "secret"
    path: str = "hanbeon"
    ca_file: str = ""


@dataclass(frozen=True)
class WorldSettings:
    """The simulated agencies: how many people, which seed, and where their PostgreSQL answers (empty: embedded)."""

    people: int = 20_000
    seed: int = 1
    dsn: str = ""


@dataclass(frozen=True)
class SourceSettings:
    """Bounds on every holder. `allowed_hosts` are the only hosts that a connector may dial (F27)."""

    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    timeout_seconds: float = 30.0
    retries: int = 3
    max_bytes_per_response: int = 64 * 1024 * 1024
    page_size: int = 1_000
    dataset_seconds: float = 1_800.0


@dataclass(frozen=True)
class LakeSettings:
    """`root` empty: `home/lake`. `key_buckets` is the number of partitions of a personal table."""

    root: str = ""
    key_buckets: int = 1


@dataclass(frozen=True)
class RetentionSettings:
    """Terms in days: until an ended authorisation's rows must be gone, until agencies must have acknowledged what they
    were told, how long access records are kept, and how long the ledger's payloads after what they are about ended.
    `backup_key_destroyed_after_days`: when the key of the operator's own backups is destroyed (0: none is made)."""

    erase_within_days: int = 5
    acknowledge_within_days: int = 10
    backup_key_destroyed_after_days: int = 0
    access_records_days: int = 730
    ledger_days: int = 1825


@dataclass(frozen=True)
class ExchangeSettings:
    """Bounds on readers: groups below `minimum_group` are suppressed, and a query ends after its seconds (F63)."""

    minimum_group: int = 5
    query_seconds: float = 30.0
    query_rows: int = 10_000


@dataclass(frozen=True)
class ReviewSettings:
    """Access records are reviewed every `every_days` (개인정보의 안전성 확보조치 기준 제8조: once a month).

    A review flags reads of more than `bulk_persons` persons or `refused_reads` refusals of one reader in a day of
    Seoul, and reads outside of the hours from `opens` to `closes` of a working day."""

    every_days: int = 31
    bulk_persons: int = 50
    refused_reads: int = 5
    opens: int = 8
    closes: int = 20

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= 24:
            raise SettingsError(
                "Settings review.opens and review.closes are hours of one day, the first before the other."
            )


@dataclass(frozen=True)
class LogSettings:
    """`origin` is the log's name in every checkpoint. `witness_path` empty: `home/witness`, a place of its own.

    `timestamps` is the URL of a time-stamping authority (RFC 3161), empty: none; `timestamps_ca_file` its certificates
    that are trusted (PEM). A checkpoint is stamped when the last stamp is `timestamps_every_hours` old."""

    origin: str = "hanbeon.local/log"
    witness_path: str = ""
    timestamps: str = ""
    timestamps_ca_file: str = ""
    timestamps_every_hours: int = 24

    def __post_init__(self) -> None:
        if not self.origin or "+" in self.origin or any(c.isspace() or not c.isprintable() for c in self.origin):
            raise SettingsError(
                "Setting log.origin must be a name without spaces and plus signs, such as a host and path."
            )
        if self.timestamps and not _is_plain_url(self.timestamps):
            raise SettingsError(
                "Setting log.timestamps must be the http or https URL of a time-stamping authority: scheme, host, port "
                "and path only."
            )
        if self.timestamps and not self.timestamps_ca_file:
            raise SettingsError("Setting log.timestamps needs log.timestamps_ca_file, whose certificates are trusted.")
        if self.timestamps_every_hours < 1:
            raise SettingsError("Setting log.timestamps_every_hours must be one hour or more.")


@dataclass(frozen=True)
class Settings:
    home: HomeSettings = field(default_factory=HomeSettings)
    ledger: LedgerSettings = field(default_factory=LedgerSettings)
    consent: ConsentSettings = field(default_factory=ConsentSettings)
    keys: KeysSettings = field(default_factory=KeysSettings)
    world: WorldSettings = field(default_factory=WorldSettings)
    sources: SourceSettings = field(default_factory=SourceSettings)
    lake: LakeSettings = field(default_factory=LakeSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    exchange: ExchangeSettings = field(default_factory=ExchangeSettings)
    review: ReviewSettings = field(default_factory=ReviewSettings)
    log: LogSettings = field(default_factory=LogSettings)

    @property
    def home_path(self) -> Path:
        return Path(self.home.path).resolve()

    @property
    def lake_root(self) -> Path:
        return Path(self.lake.root).resolve() if self.lake.root else self.home_path / "lake"

    @property
    def keys_path(self) -> Path:
        return self.home_path / "keys"

    @property
    def log_path(self) -> Path:
        return self.lake_root / "log"

    @property
    def witness_path(self) -> Path:
        return Path(self.log.witness_path).resolve() if self.log.witness_path else self.home_path / "witness"

    @property
    def trust_path(self) -> Path:
        return Path(self.consent.trust_file).resolve() if self.consent.trust_file else self.keys_path / "trusted.json"

    @property
    def agencies_path(self) -> Path:
        return self.home_path / "agencies"

    @property
    def postgres_path(self) -> Path:
        return self.home_path / "postgres"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings file and the environment. Raises SettingsError naming the wrong key."""
    environ = os.environ if environ is None else environ
    path = Path(environ.get("HANBEON_CONFIG", "hanbeon.toml"))
    given: dict[str, Any] = {}
    if path.exists():
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{path} is not valid TOML: {error}. Correct it or remove it.") from error
    elif "HANBEON_CONFIG" in environ:
        raise SettingsError(f"HANBEON_CONFIG names {path}, which does not exist.")
    for name, value in environ.items():
        if name.startswith("HANBEON_") and "__" in name:
            section, key = name.removeprefix("HANBEON_").lower().split("__", 1)
            given.setdefault(section, {})[key] = value
    settings = Settings()
    known = {f.name for f in fields(Settings)}
    for section, values in given.items():
        if section not in known or not isinstance(values, dict):
            raise SettingsError(f"Unknown settings section [{section}]. Known: {', '.join(sorted(known))}.")
        settings = replace(settings, **{section: _section(getattr(settings, section), section, values)})
    return settings


def _is_plain_url(text: str) -> bool:
    """Whether this is http or https, to a host that can be dialled, without user, password, query or fragment."""
    try:
        parts = urlsplit(text)
        host, _ = (parts.hostname or "").encode("idna"), parts.port
    except ValueError:
        return False
    rest = (parts.username, parts.password, parts.query, parts.fragment)
    return parts.scheme in ("http", "https") and bool(host) and not any(rest)


def _section(current: Any, section: str, values: dict[str, Any]) -> Any:
    """All keys at once: what a section asks of several together holds of them together, in any order."""
    types = {f.name: type(getattr(current, f.name)) for f in fields(current)}
    unknown = [key for key in values if key not in types]
    if unknown:
        raise SettingsError(f"Unknown setting {section}.{unknown[0]}. Known: {', '.join(types)}.")
    return replace(current, **{key: _convert(value, types[key], f"{section}.{key}") for key, value in values.items()})


def _convert(value: Any, wanted: type, name: str) -> Any:
    try:
        if wanted is tuple:
            return tuple(value.split(",")) if isinstance(value, str) else tuple(value)
        if wanted is bool and isinstance(value, str):
            return {"true": True, "false": False}[value.lower()]
        return wanted(value)
    except (TypeError, ValueError, KeyError) as error:
        raise SettingsError(f"Setting {name} must be of type {wanted.__name__}.") from error
