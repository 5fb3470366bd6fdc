"""Whose rows a version holds, as a Merkle root for each bucket: so that absence can be proved (docs/proof.md, 3).

In: a table, a version, and the blinding key of each bucket. Out: the sorted blinded owners of each bucket, and their
roots. What a version changed is kept beside the lake's tables, below `subjects/`, since erasing takes old data files
away and absence from an old version is to be proved after that too. Kept are blinded hashes, not keys.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consent import merkle
from hanbeon.errors import IntegrityError
from lake import tables
from lake.files import write_durably
from lake.layout import PARTITION, subjects_path, table_path
from lake.rows import HASH_BYTES, owners

WHOLE_EACH = 32  # versions: so many files are read at most to know the owners of one
Blinding = Callable[[int], bytes]
Owners = dict[int, frozenset[bytes]]  # bucket -> blinded owners; a bucket without rows is left out


@dataclass(frozen=True)
class SubjectRoot:
    """The owners of a bucket: how many, and the root over them in order."""

    count: int
    root: bytes


def blind(key: bytes, owner: bytes) -> bytes:
    return hashlib.sha256(key + owner).digest()


def roots(held: Owners) -> dict[int, SubjectRoot]:
    return {bucket: SubjectRoot(len(some), merkle.root(leaves(some))) for bucket, some in sorted(held.items())}


def leaves(blinded: Iterable[bytes]) -> list[bytes]:
    """The leaf hashes of a bucket's tree, in order."""
    return [merkle.leaf_hash(one) for one in sorted(blinded)]


def note(root: Path, name: str, version: int, blinding: Blinding) -> Owners:
    """The owners of a version, whose changes are kept durably. Said again for a version, it keeps the same."""
    before = None if version == 0 else kept(root, name, version - 1)
    held = _owners(root, name, version, blinding, before)
    is_whole = before is None or version % WHOLE_EACH == 0
    given = {} if is_whole or before is None else before
    changes = {
        bucket: (held.get(bucket, frozenset()) - given.get(bucket, frozenset()), given.get(bucket, frozenset()) - now)
        for bucket in sorted({*held, *given})
        for now in [held.get(bucket, frozenset())]
    }
    _write(subjects_path(root, name, version), is_whole, changes)
    return held


def kept(root: Path, name: str, version: int) -> Owners | None:
    """The owners of a version, old or new, from what was kept; None where it was not."""
    chain = []
    for number in range(version, -1, -1):
        read = _read(subjects_path(root, name, number))
        if read is None:
            return None
        chain.append(read)
        if read[0]:
            break
    found: dict[int, set[bytes]] = {}
    for _, changes in reversed(chain):
        for bucket, (added, removed) in changes.items():
            found[bucket] = (found.get(bucket, set()) | added) - removed
    return {bucket: frozenset(some) for bucket, some in found.items() if some}


def _owners(root: Path, name: str, version: int, blinding: Blinding, before: Owners | None) -> Owners:
    """Buckets that the version did not touch are as they were: their files are not read."""
    handle = tables.open_table(root, name, version)
    if handle is None:
        raise IntegrityError(f"{name}: version {version} is missing. Run `hanbeon recover`.")
    touched = None if before is None else {_bucket(p) for p in tables.touched_partitions(root, name, version)}
    found = {b: set(some) for b, some in (before or {}).items() if touched is not None and b not in touched}
    base = table_path(root, name)
    for action in tables.active_files(handle):
        bucket = _bucket(action["partition_values"])
        if touched is None or bucket in touched:
            key = blinding(bucket)
            own = owners(base / tables.decoded(str(action["path"])))
            found.setdefault(bucket, set()).update(blind(key, owner) for owner in own)
    return {bucket: frozenset(some) for bucket, some in found.items() if some}


def _bucket(partition: Mapping[str, Any]) -> int:
    return int(partition.get(PARTITION) or 0)


def _write(path: Path, is_whole: bool, changes: Mapping[int, tuple[frozenset[bytes], frozenset[bytes]]]) -> None:
    real = {bucket: change for bucket, change in changes.items() if change[0] or change[1]}
    head = {"whole": is_whole, "buckets": [[b, len(added), len(removed)] for b, (added, removed) in real.items()]}
    hashes = b"".join(b"".join(sorted(some)) for change in real.values() for some in change)
    write_durably(path, json.dumps(head).encode() + b"\n" + hashes)


def _read(path: Path) -> tuple[bool, dict[int, tuple[set[bytes], set[bytes]]]] | None:
    try:
        head, _, hashes = path.read_bytes().partition(b"\n")
        about = json.loads(head)
        found, at = {}, 0
        for bucket, added, removed in about["buckets"]:
            cut = [hashes[i : i + HASH_BYTES] for i in range(at, at + (added + removed) * HASH_BYTES, HASH_BYTES)]
            found[int(bucket)] = (set(cut[:added]), set(cut[added:]))
            at += (added + removed) * HASH_BYTES
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise IntegrityError(f"{path.name} of the kept subjects is damaged. Restore it from a copy.") from None
    return bool(about["whole"]), found
