"""Standardise: bronze rows of the subjects to recompute go through dbt once and come out as gold tables.

In: Arrow tables of bronze (live, covered rows; the holders' column names) and of the ledger's context. They become
tables of a DuckDB file, beside code lists with a history; dbt builds `dbt/` on it in this process, and every mart is
read back with its contract's schema. The folder with the file and dbt's artefacts is removed whatever happens: it held
personal data.
A failure names the model or test, never a value (P8, F65).

`docs(work, out)` makes dbt's own documentation as one static page.
"""

import hashlib
import os
import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from hanbeon.errors import HanbeonError, UsageError
from hanbeon.settings import PROJECT
from pipeline.workspace import workspace
from schemas import lunar, succession
from schemas.contract import marts, sources

FOLDER = PROJECT / "dbt"
MARTS_SCHEMA = "standard"
DATABASE_FILE = "standardise.duckdb"
DATABASE_VARIABLE = "HANBEON_DBT_DUCKDB"
TRACKER = "//d1fc8wv8zag5ca.cloudfront.net/2.9.0/sp.js"  # what dbt's page would load where statistics are on


def _texts(*names: str) -> list[pa.Field]:
    return [pa.field(name, pa.string()) for name in names]


CONTEXT_SCHEMAS: Mapping[str, pa.Schema] = {
    "decisions": pa.schema(
        [
            *_texts("decision_id", "service", "law", "article", "recipient", "holder", "document_type", "satisfied_by"),
            pa.field("is_shared_already", pa.bool_()),
            pa.field("sheets", pa.int64()),
            pa.field("decided_on", pa.date32()),
        ]
    ),
}
# Code lists with a history that staging models ask, by name.
CODE_TABLES: Mapping[str, Callable[[], pa.Table]] = {
    "successions": succession.table,
    "provinces": succession.province_table,
    "lunar_months": lunar.table,
}
# Columns that a context table may lack; they are then empty.
OPTIONAL_COLUMNS = frozenset({"sheets"})

# The parsed project by its digest: parsing takes longer than a small build, so a process does it once.
_PARSED: dict[str, Any] = {}
_ONE_AT_A_TIME = threading.Lock()  # dbt keeps its flags, its adapter and our variable in the process


class StandardiseFailed(HanbeonError):
    """A dbt model or test failed; nothing came out."""


def standardise(
    bronze: Mapping[str, pa.Table],
    context: Mapping[str, pa.Table],
    work: Path,
    over: Collection[str] = frozenset(),
) -> dict[str, pa.Table]:
    """Gold tables by name, each with exactly its contract's schema, in an order that makes two runs compare equal.

    `bronze` is keyed by slug (`<holder>__<dataset>`); a dataset that is missing has no rows. `context` must hold every
    table of CONTEXT_SCHEMAS. Marts that are `over` are not built and come without rows. Raises UsageError for
    wrong input and StandardiseFailed when dbt fails.
    """
    with _database(work, _inputs(bronze, context)) as (folder, duck):
        left_out = [part for name in sorted(over) for part in ("--exclude", f"file:{name}.sql")]
        _dbt(folder, "build", "--exclude-resource-type", "unit_test", "--no-write-json", *left_out)
        return _read(duck, over)


def unit_tests(work: Path) -> None:
    """Run dbt's unit tests on empty tables. Raises StandardiseFailed naming the first that fails."""
    with _database(work, _inputs({}, empty_context())) as (folder, _):
        _dbt(folder, "run")
        _dbt(folder, "test", "--resource-type", "unit_test")


def docs(work: Path, out: Path) -> Path:
    """dbt's documentation of every model, as one static page that loads nothing else. Returns its path."""
    with _database(work, _inputs({}, empty_context())) as (folder, _):
        _dbt(folder, "run")
        _dbt(folder, "docs", "generate", "--static")
        page = (folder / "target" / "static_index.html").read_text(encoding="utf-8")
        out.mkdir(parents=True, exist_ok=True)
        target = out / "index.html"
        target.write_text(page.replace(TRACKER, "data:,").replace(f"{folder}/", ""), encoding="utf-8")
        return target


def parse(work: Path) -> None:
    """Parse the project before it is needed; a process does it once for each state of the project."""
    with workspace(work, "standardise-") as folder, _ONE_AT_A_TIME:
        _parsed(folder)


def empty_context() -> dict[str, pa.Table]:
    """A context in which nobody applied for anything."""
    return {name: schema.empty_table() for name, schema in CONTEXT_SCHEMAS.items()}


def _inputs(bronze: Mapping[str, pa.Table], context: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Every table that dbt reads, by schema and name, with the columns that it reads."""
    known = {c.slug: c.bronze_schema for c in sources()}
    if unknown := sorted(bronze.keys() - known.keys()):
        raise UsageError(f"No source contract for {', '.join(unknown)}. Known: {', '.join(known)}.")
    if missing := sorted(CONTEXT_SCHEMAS.keys() - context.keys()):
        raise UsageError(f"The context lacks {', '.join(missing)}. Pass an empty table where there is nothing.")
    tables = {f"bronze.{slug}": _fit(slug, bronze.get(slug, s.empty_table()), s) for slug, s in known.items()}
    tables |= {f"context.{name}": _fit(name, context[name], s) for name, s in CONTEXT_SCHEMAS.items()}
    return tables | {f"codes.{name}": table() for name, table in CODE_TABLES.items()}


def _fit(name: str, table: pa.Table, schema: pa.Schema) -> pa.Table:
    lacking = [n for n in schema.names if n not in table.column_names]
    if required := [n for n in lacking if n not in OPTIONAL_COLUMNS]:
        raise UsageError(f"Table {name} lacks {', '.join(required)}. It must have the columns of its contract.")
    for column in lacking:
        table = table.append_column(schema.field(column), pa.nulls(table.num_rows, schema.field(column).type))
    try:
        return table.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise UsageError(f"Table {name} does not have the types of its contract.") from None


@contextmanager
def _database(work: Path, tables: Mapping[str, pa.Table]) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    """A folder with a DuckDB file that holds the tables.

    The connection stays open while dbt runs: dbt opens and closes its own around every few models, and without ours
    each of these would check-point and reopen the file, a third of a small build.
    """
    with workspace(work, "standardise-") as folder, duckdb.connect(str(folder / DATABASE_FILE)) as duck:
        duck.execute("create schema bronze")
        duck.execute("create schema context")
        duck.execute("create schema codes")
        for name, table in tables.items():
            duck.register("arriving", table)
            duck.execute(f"create table {name} as select * from arriving")
            duck.unregister("arriving")
        yield folder, duck


def _read(duck: duckdb.DuckDBPyConnection, over: Collection[str]) -> dict[str, pa.Table]:
    duck.execute("set TimeZone = 'UTC'")
    none = {contract.name: contract.gold_schema.empty_table() for contract in marts() if contract.name in over}
    return none | {
        contract.name: duck.sql(f"select * from {MARTS_SCHEMA}.{contract.name} order by all")
        .to_arrow_table()
        .select(contract.gold_schema.names)
        .cast(contract.gold_schema)
        for contract in marts()
        if contract.name not in over
    }


def _dbt(folder: Path, *command: str) -> None:
    """One dbt command in this process. It writes into `folder` alone and prints nothing."""
    from dbt.cli.main import dbtRunner

    with _ONE_AT_A_TIME:
        manifest = _parsed(folder)
        with _variable(DATABASE_VARIABLE, str(folder / DATABASE_FILE)):
            _succeeded(dbtRunner(manifest=manifest).invoke([*command, *_options(folder)]))


def _options(folder: Path) -> list[str]:
    places = {"project-dir": FOLDER, "profiles-dir": FOLDER, "target-path": folder / "target", "log-path": folder}
    quiet = ["--quiet", "--log-level=none", "--log-level-file=none", "--no-partial-parse"]
    return [*(f"--{name}={path}" for name, path in places.items()), *quiet]


def _parsed(folder: Path) -> Any:
    """The project's manifest. Parsing takes longer than a small build."""
    from dbt.cli.main import dbtRunner

    digest = _digest()
    if digest not in _PARSED:
        _PARSED.clear()
        with _variable(DATABASE_VARIABLE, str(folder / DATABASE_FILE)):
            _PARSED[digest] = _succeeded(dbtRunner().invoke(["parse", *_options(folder), "--no-write-json"])).result
    return _PARSED[digest]


def _succeeded(outcome: Any) -> Any:
    if not outcome.success:
        raise _failure(outcome) from None
    return outcome


def _digest() -> str:
    total = hashlib.sha256()
    for path in sorted(p for p in FOLDER.rglob("*") if p.suffix in {".sql", ".yml"}):
        total.update(path.read_bytes())
    return total.hexdigest()


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _failure(outcome: Any) -> StandardiseFailed:
    """The first failing node and the kind of its failure. Database messages can hold values, so they stay out."""
    for result in getattr(outcome.result, "results", None) or ():
        if str(result.status) in {"error", "fail", "runtime error"}:
            what = f"{result.node.resource_type} {result.node.name}"
            if result.failures:
                return StandardiseFailed(f"dbt {what} found {result.failures} rows. Nothing was published.")
            kind = re.search(r"^\s*((?:[A-Z][A-Za-z-]+ )+Error):", result.message or "", re.MULTILINE)
            return StandardiseFailed(f"dbt {what} failed ({kind[1] if kind else 'error'}). Nothing was published.")
    kind_of = type(outcome.exception).__name__
    return StandardiseFailed(f"dbt could not start its run ({kind_of}). Check that the dbt project parses.")
