"""DuckDB as the lake's query engine: bounded, offline, with the Delta extension out of its wheel.

In: nothing. Out: a connection that never downloads. `scratch` computes over what is registered and keeps nothing;
`duck` knows `delta_scan`. Try it: `with scratch() as d: d.sql("select 1").show()`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import duckdb

from hanbeon.errors import DependencyDown

MEMORY_LIMIT = "2GB"
THREADS = 2


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of the process's one engine, to compute on registered tables; only temporary tables may be made.

    Opening an engine costs ten times as much as most questions; a forked child gets its own.
    """
    with _engine(os.getpid()).cursor() as connection:
        yield connection


@cache
def _engine(_process: int) -> duckdb.DuckDBPyConnection:
    offline = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    # Nothing of a file stays in memory or spills to disk: what is erased is to be gone there too.
    return duckdb.connect(config={**offline, "enable_external_file_cache": False, "temp_directory": ""})


def duck(memory_limit: str = MEMORY_LIMIT) -> duckdb.DuckDBPyConnection:
    """A connection in memory that knows `delta_scan`; the caller closes it. Raises DependencyDown without the wheel."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": str(THREADS),
            "memory_limit": memory_limit,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    try:
        connection.execute(f"load '{_extension()}'")
    except duckdb.Error as error:
        connection.close()
        raise DependencyDown("DuckDB's Delta extension does not load. Install the locked environment again.") from error
    return connection


def _extension() -> str:
    found = find_spec("duckdb_extension_delta")
    folder = Path(found.origin).parent / "extensions" if found is not None and found.origin is not None else None
    path = folder / f"v{duckdb.__version__}" / "delta.duckdb_extension" if folder is not None else None
    if path is None or not path.exists():
        raise DependencyDown(
            f"DuckDB {duckdb.__version__} has no Delta extension here. Install duckdb-extension-delta of its version."
        )
    return str(path).replace("'", "''")
