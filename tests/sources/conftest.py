"""Real holders for the tests of the sources: an HTTP server in a thread, a PostgreSQL of the session."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from hanbeon import postgres
from tests.sources.servers import Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(scope="session")
def agency_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres.cluster(tmp_path_factory.mktemp("agency"), is_durable=False) as dsn:
        yield dsn


@pytest.fixture
def agency(agency_cluster: str) -> Iterator[str]:
    """A fresh database of a holder; its DSN."""
    name = f"agency_{uuid4().hex[:12]}"
    yield postgres.database(agency_cluster, name)
    with psycopg.connect(agency_cluster, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")
