"""Where everything lies under the lake's root, and which bucket a subject key falls into.

In: a root folder and a table's name, such as `bronze/mois/resident_register`. Out: paths. A name that could lead
anywhere else is refused, so a contract or a recipient's id can never spell a path of its own (F26).
"""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa

from hanbeon.errors import UsageError

PARTITION = "_key_bucket"
LOG = "_delta_log"
ROOMS = {"bronze": 3, "gold": 2, "shares": 3, "quarantine": 3, "ledger": 2, "ops": 2}  # room -> parts of a name
_PART = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
COMMIT_FILE = re.compile(r"(\d{20})\.json")


def table_path(root: Path, name: str) -> Path:
    """The folder of a table. Raises UsageError for a name that is no table of the layout."""
    parts = name.split("/")
    if ROOMS.get(parts[0]) != len(parts) or not all(_PART.fullmatch(p) for p in parts):
        raise UsageError(
            f"{name!r} is not a table of the lake. A name is a room ({', '.join(ROOMS)}) and its parts in lower case."
        )
    return root.joinpath(*parts)


def table_names(root: Path) -> list[str]:
    """Every table that exists under the root, by name."""
    found = []
    for room, depth in ROOMS.items():
        for log in root.glob("/".join([room, *["*"] * (depth - 1), LOG])):
            found.append(log.parent.relative_to(root).as_posix())
    return sorted(found)


def log_path(root: Path, name: str) -> Path:
    return table_path(root, name) / LOG


def commit_path(root: Path, name: str, version: int) -> Path:
    return log_path(root, name) / f"{version:020d}.json"


def pointer_path(root: Path) -> Path:
    """The mirror of the pointer, for readers that have the files and not the database."""
    return root / "log" / "pointer.json"


def subjects_path(root: Path, name: str, version: int) -> Path:
    """What a version changed in whose rows the table holds, blinded."""
    table_path(root, name)
    return root / "subjects" / name / f"{version:020d}"


def staging_path(root: Path) -> Path:
    """Where work waits that is not yet committed; erased and scanned like every table."""
    return root / "staging"


def key_bucket(keys: pa.Array | pa.ChunkedArray, buckets: int) -> pa.Array:
    """The partition of each subject key: the key modulo the number of buckets, never negative. int32, no NULL.

    Raises UsageError when a key is NULL: a row without subject has no place in a personal table.
    """
    if buckets < 1:
        raise UsageError("lake.key_buckets must be at least 1.")
    flat = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    if flat.null_count:
        raise UsageError("A row without subject key has no bucket. Every row of a personal table names its subject.")
    numbers = flat.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return pa.array(np.mod(numbers, buckets).astype(np.int32), pa.int32())
