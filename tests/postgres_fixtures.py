"""A real ledger database for every test that asks for one.

One embedded PostgreSQL serves a pytest worker; each test gets a fresh database, copied from a migrated template.
HANBEON_TEST_POSTGRES names a server that runs already, for many short processes one after the other.
Fixtures: `postgres_dsn` (the worker's server), `ledger_dsn_for_test`, `ledger_conn` (autocommit), `secrets`.
"""

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from consent import schema, vault
from hanbeon.postgres import cluster, database

TEMPLATE = "ledger_template"


@pytest.fixture(scope="session")
def postgres_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The worker's server. It need not survive a power cut."""
    given = os.environ.get("HANBEON_TEST_POSTGRES", "")
    with nullcontext(given) if given else cluster(tmp_path_factory.mktemp("postgres"), is_durable=False) as dsn:
        schema.connect(database(dsn, TEMPLATE)).close()
        yield dsn


@pytest.fixture
def ledger_dsn_for_test(postgres_dsn: str) -> Iterator[str]:
    """A fresh, migrated ledger database of this test alone."""
    name = f"ledger_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_dsn, autocommit=True) as conn:
        conn.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    yield database(postgres_dsn, name)
    with psycopg.connect(postgres_dsn, autocommit=True) as conn:
        conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def ledger_conn(ledger_dsn_for_test: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(ledger_dsn_for_test, autocommit=True) as conn:
        yield conn


@pytest.fixture
def secrets(tmp_path: Path) -> vault.Secrets:
    return vault.secrets(tmp_path / "keys")
