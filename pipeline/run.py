"""A run: an id, the settings, an open ledger database, the keys, and the code that it runs.

    with open_run(load(), "run-1") as run: ...

Everything below the verbs takes a `Run` and opens nothing itself.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import psycopg

from consent import forgetting, key_service, schema, vault
from consent.secrets import secrets_from
from consent.trust import Trust, read_trust
from hanbeon import clock
from hanbeon.errors import UsageError
from hanbeon.postgres import ledger_dsn
from hanbeon.settings import PROJECT, Settings

ROOMS = ("hanbeon", "schemas", "consent", "sources", "lake", "quality", "dbt", "pipeline", "dags")
CODE = {".py", ".sql", ".yml", ".yaml", ".csv", ".tsv"}


@dataclass(frozen=True)
class Run:
    """`at()` is the instant of decisions; `code_hash` names code and contracts (F66)."""

    run_id: str
    settings: Settings
    conn: psycopg.Connection
    secrets: vault.Secrets
    at: Callable[[], datetime]
    code_hash: str

    @property
    def trust(self) -> Trust:
        """Whose signatures count, read now. Raises DependencyDown when nobody said so."""
        return read_trust(self.settings.trust_path, self.settings.log.origin)


@contextmanager
def open_run(settings: Settings, run_id: str, at: Callable[[], datetime] = clock.now) -> Iterator[Run]:
    """Open what a run needs and close it again. Raises DependencyDown when the ledger's database is not there."""
    if not run_id or len(run_id) > 200 or any(c.isspace() or not c.isprintable() for c in run_id):
        raise UsageError("A run id is a short text without spaces.")
    with ledger_dsn(settings) as dsn, schema.connect(dsn) as conn:
        forgetting.at_work(conn)
        yield Run(run_id, settings, conn, secrets_from(key_service.of_settings(settings)), at, code_hash())


@cache
def code_hash(project: Path = PROJECT) -> str:
    """One digest over the code, models and contracts that decide what a run does."""
    total = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((project / room).rglob("*")):
            if path.suffix in CODE and path.is_file():
                total.update(path.relative_to(project).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()
