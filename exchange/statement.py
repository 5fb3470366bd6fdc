"""Is a text one harmless SELECT over the relations that analysts may read?

In: the analyst's text. Out: nothing, or a UsageError with one sentence. DuckDB's own parser reads the text; what its
tree holds is compared with a short list of what is allowed, so that anything new in DuckDB is refused, not let through.
A message never repeats the text: it may hold a personal value (P8, F63).
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import duckdb

from hanbeon.errors import UsageError

LONGEST_STATEMENT = 10_000
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
CATALOGUE_PREFIXES = ("duckdb_", "pg_", "pragma_", "sqlite_", "information_schema")
# Scalar functions that would tell about the machine or wait, rather than compute on the relations.
SYSTEM_FUNCTIONS = frozenset(
    {"current_setting", "getenv", "getvariable", "version", "user", "session_user", "current_user", "current_role"}
    | {"current_query", "current_query_id", "current_connection_id", "write_log", "parse_duckdb_log_message"}
    | {"sleep_ms", "currval", "nextval", "stats"}
)
SYSTEM_PREFIXES = ("pg_", "inet_", "has_")
HARMLESS = frozenset({"pg_typeof", "pg_size_pretty"})


def check(text: str, relations: Collection[str]) -> None:
    """Raises UsageError when the text is not a single SELECT over `relations`."""
    if not text.strip():
        raise UsageError("There is no query. Write one SELECT, for example: select * from bundles.")
    if len(text) > LONGEST_STATEMENT or "\x00" in text:
        raise UsageError(f"A query is text of at most {LONGEST_STATEMENT} characters, without NUL.")
    try:
        text.encode("utf-8")  # a lone surrogate is no text that DuckDB takes
        statements = duckdb.extract_statements(text)
    except (duckdb.Error, UnicodeError) as error:
        raise UsageError("The query is not valid SQL. Check its spelling; the dialect is DuckDB's.") from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise UsageError("Only one SELECT statement is answered, nothing that writes, attaches, loads or configures.")
    _check_tree(_tree(text), frozenset(relations))


def _tree(text: str) -> Mapping[str, Any]:
    try:
        with duckdb.connect() as duck:
            row = duck.execute("select json_serialize_sql(?)", [text]).fetchone()
        tree: dict[str, Any] = json.loads(row[0] if row else "{}")
    except (duckdb.Error, ValueError, RecursionError) as error:
        raise UsageError("The query cannot be read. Write it as one plain SELECT.") from error
    if tree.get("error", True):
        raise UsageError("Only a plain SELECT is answered, without PRAGMA, SHOW, CALL or EXPLAIN.")
    return tree


def _check_tree(tree: Mapping[str, Any], relations: frozenset[str]) -> None:
    try:
        nodes = list(_nodes(tree))
    except RecursionError as error:
        raise UsageError("The query is nested too deeply. Break it up.") from error
    named = {str(entry["key"]).lower() for node in nodes for entry in (node.get("cte_map") or {}).get("map", ())}
    if any(name.startswith(CATALOGUE_PREFIXES) for name in named):
        raise UsageError("A WITH name must not begin like a system relation. Choose another name.")
    for node in nodes:
        kind = node.get("type")
        if kind == "BASE_TABLE":
            _check_table(node, relations | named, relations)
        elif kind == "TABLE_FUNCTION":
            _check_table_function(node)
        elif kind == "SHOW_REF":
            raise UsageError("DESCRIBE, SHOW and SUMMARIZE are not answered. `hanbeon sql` alone lists the relations.")
        if node.get("class") == "FUNCTION":
            _check_function(str(node.get("function_name", "")).lower())


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


def _check_table(node: Mapping[str, Any], known: frozenset[str], relations: frozenset[str]) -> None:
    is_plain = not node.get("catalog_name") and str(node.get("schema_name") or "main").lower() == "main"
    if not is_plain or str(node.get("table_name", "")).lower() not in known:
        raise UsageError(f"The query names a relation that is not offered. Relations: {', '.join(sorted(relations))}.")


def _check_table_function(node: Mapping[str, Any]) -> None:
    name = str((node.get("function") or {}).get("function_name", "")).lower()
    if name not in TABLE_FUNCTIONS:
        raise UsageError("Functions that read files, addresses or system tables are not offered; query the relations.")


def _check_function(name: str) -> None:
    if name in SYSTEM_FUNCTIONS or (name.startswith(SYSTEM_PREFIXES) and name not in HARMLESS):
        raise UsageError("Functions that tell about the system are not offered; query the relations.")
