"""Row trees: a Merkle root over the salted rows of one data file, so that one row is proved without showing the rest.

In: a data file and the secret of each owner of its rows. Out: the leaf hashes in the file's own order, and from them
the root that the commit's leaf names (docs/proof.md, section 3). DuckDB reads, renders and hashes, since a row must
cost microseconds; `lake.row_text` says the same of one row in plain Python, and a test holds the two together.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from duckdb.sqltypes import DuckDBPyType

from hanbeon.errors import IntegrityError
from lake.engine import scratch

OWNER_COLUMNS = ("_subject_key", "_pairwise_id")  # of the lake's own tables; of a recipient's share
HASH_BYTES = 32
NESTED = ("list", "struct")
PIPELINE_PART, CONTENT_PART = "00", "01"


def owner_column(names: list[str]) -> str | None:
    """The column that says whose row it is, or None in a table about no person."""
    return next((name for name in OWNER_COLUMNS if name in names), None)


def owners(path: Path) -> set[bytes]:
    """Everybody who owns a row of this data file: a subject key as 8 bytes, or a pairwise id."""
    with pq.ParquetFile(path) as file:
        name = owner_column(file.schema_arrow.names)
        values = set() if name is None else set(file.read(columns=[name]).column(name).to_pylist())
    return {owner_bytes(value) for value in values}


def owner_bytes(value: int | bytes | None) -> bytes:
    """An owner as proofs name it. Raises IntegrityError for a row of nobody in a table of persons' rows."""
    if value is None:
        raise IntegrityError("A row of a personal table has no owner. Rebuild the table from its source.")
    return value if isinstance(value, bytes) else value.to_bytes(8, "big", signed=True)


def leaf_hashes(path: Path, name: str, secrets: Mapping[bytes, bytes]) -> list[bytes]:
    """The leaf hash of each row, in order. `name` is the file's path below its table, as the commit's body has it.

    `secrets` has the 32-byte secret of every owner. Raises IntegrityError when one is missing.
    """
    with scratch() as duck:
        given = duck.read_parquet(str(path), file_row_number=True)
        types = {n: t for n, t in zip(given.columns, given.types, strict=True) if n != "file_row_number"}
        owner = owner_column(list(types))
        if owner is None:
            raise IntegrityError("A table about no person has no row tree.")
        duck.register("secrets", _secrets(secrets))
        found = duck.execute(_sql(types, owner), {"path": str(path), "name": hashlib.sha256(name.encode()).digest()})
        hashes = found.to_arrow_table().column("leaf")
    if hashes.null_count:
        raise IntegrityError("The secret of an owner of rows is missing, so its rows cannot be committed to.")
    return [bytes(h) for h in hashes.to_pylist()]


def _sql(types: Mapping[str, DuckDBPyType], owner: str) -> str:
    pipeline = sorted(n for n in types if n.startswith("_"))
    content = sorted(n for n in types if not n.startswith("_"))
    key = f"unhex(lpad(hex({_quoted(owner)}), 16, '0'))" if owner == "_subject_key" else _quoted(owner)
    # Materialized, so that both cores hash even where the file is one row group.
    return f"""
    with texts as materialized (
        select
            file_row_number as row,
            {key} as owner,
            {_text(pipeline, types)} as pipeline,
            {_text(content, types)} as content,
        from read_parquet($path, file_row_number = true)
    ),
    salted as (
        select row, pipeline, content, s.secret || $name::blob || unhex(lpad(hex(row), 16, '0')) as salt,
        from texts left join secrets as s on s.owner = texts.owner
    )
    select
        unhex(sha256(
            '\\x00'::blob || {_commitment("pipeline", PIPELINE_PART)} || {_commitment("content", CONTENT_PART)}
        )) as leaf
    from salted order by row
    """


def _commitment(part: str, byte: str) -> str:
    return f"unhex(sha256(unhex(sha256(salt || '\\x{byte}'::blob)) || encode({part})))"


def _text(names: list[str], types: Mapping[str, DuckDBPyType]) -> str:
    """Of every column the netstring of its name, then that of its value."""
    parts = [f"'{_netted(n)}', {_net(_value(_quoted(n), types[n]), _quoted(n))}" for n in names]
    return f"concat({', '.join(parts)})" if parts else "''"


def _value(column: str, kind: DuckDBPyType, depth: int = 0) -> str:
    """SQL for the text of a value of this type. Raises IntegrityError for a type that no contract has."""
    name = kind.id
    if name == "varchar":
        return column
    if name in ("tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint"):
        return f"{column}::varchar"
    if name in ("boolean", "decimal", "date"):
        return f"{column}::varchar"
    if name in ("timestamp", "timestamp with time zone"):
        return f"epoch_us({column})::varchar"
    if name == "blob":
        return f"lower(hex({column}))"
    children = {str(n): t for n, t in kind.children if isinstance(t, DuckDBPyType)} if name in NESTED else {}
    if name == "list":
        item = f"e{depth}"
        each = _net(_value(item, children["child"], depth + 1), item)
        return f"array_to_string(list_transform({column}, lambda {item}: {each}), '')"
    if name == "struct":
        fields = sorted(children)
        inner = [f"{column}.{_quoted(f)}" for f in fields]
        pairs = zip(fields, inner, strict=True)
        parts = [f"'{_netted(f)}', {_net(_value(i, children[f], depth), i)}" for f, i in pairs]
        return f"concat({', '.join(parts)})"
    raise IntegrityError(f"A column of type {kind} cannot be committed to. Contracts have no such type.")


def _net(value: str, column: str) -> str:
    return f"case when {column} is null then '-,' else concat(strlen({value}), ':', {value}, ',') end"


def _netted(name: str) -> str:
    return f"{len(name.encode())}:{name},".replace("'", "''")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _secrets(secrets: Mapping[bytes, bytes]) -> pa.Table:
    return pa.table({"owner": pa.array(secrets, pa.binary()), "secret": pa.array(secrets.values(), pa.binary())})
