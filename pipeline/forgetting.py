"""Forget whom nothing covers any more: the vault's entries, and that they were ever asked for (P4, P10).

In: a run, after the erased rows are gone. Out: how many persons were forgotten. Who is named by a row of any table,
as its owner or as the person of a line, stays known: who only stands in another's family certificate is forgotten with
the last certificate that names them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from consent import forgetting, vault
from pipeline.leavings import live_files, personal_tables
from pipeline.run import Run

KEY, PAIRWISE = "_key", "_pairwise_id"  # how the columns end that name a person: in the lake, in a share
PAIRWISE_BYTES = 16


def forgettable(run: Run) -> list[int]:
    """The subject keys that nothing covers, and no row of any table names."""
    keys: set[int] = set()
    pairwise: dict[str, set[bytes]] = {}
    for name in personal_tables(run):
        room, recipient = name.split("/")[:2]
        for path in live_files(run, name):
            if room == "shares":
                pairwise.setdefault(recipient, set()).update(_named(path, PAIRWISE))
            else:
                keys |= _named(path, KEY)
    found = forgetting.uncovered(run.conn, keys, run.at())
    raw = [key.to_bytes(8, "little", signed=True) for key in found]
    for recipient, known in sorted(pairwise.items()):
        hashed = vault.keyed_hashes(run.secrets, f"pairwise:{recipient}", raw)
        shared = {key for key, one in zip(found, hashed, strict=True) if one[:PAIRWISE_BYTES] in known}
        keys |= shared
    return [key for key in found if key not in keys]


def forget(run: Run) -> int | None:
    """How many were forgotten; None while another process is at work, and the next erasure does it."""
    with forgetting.alone(run.conn) as is_alone:
        return forgetting.forget(run.conn, forgettable(run)) if is_alone else None


def _named(path: Path, ending: str) -> set[Any]:
    """Everybody whom a data file names in columns with this ending, those of lines too."""
    with pq.ParquetFile(path) as file:
        paths = [file.schema.column(i).path for i in range(len(file.schema))]
        named = [p for p in paths if p.rpartition(".")[2].endswith(ending)]
        if not named:
            return set()
        table = file.read(columns=named)
    return {value for column in table.columns for chunk in column.chunks for value in values_in(chunk)}


def values_in(column: pa.Array) -> Iterator[Any]:
    """The distinct values of a column, nested ones too."""
    kind = column.type
    if pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            yield from values_in(column.field(index))
    elif pa.types.is_nested(kind):
        yield from values_in(column.flatten())
    else:
        yield from column.drop_null().unique().to_pylist()
