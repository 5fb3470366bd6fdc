"""Whether a table is what its leaves say: every commit file and every data file in use, by hash (F8).

In: a root, a table's name and its leaves. Out: nothing, or IntegrityError naming table and version. A Delta reader
takes an emptied commit for an empty one, misses a removed last commit in silence, and returns edited values as good
data; so whoever needs certainty asks here.
"""

from collections.abc import Sequence
from pathlib import Path

from consent.journal import Leaf
from hanbeon.errors import IntegrityError
from lake import tables
from lake.files import sha256
from lake.layout import table_path

CLOSED = "The table is closed until its files are restored, or it is rebuilt from its source."


def verify_newest_commit(root: Path, name: str, newest: Leaf | None) -> None:
    """The newest commit is the one that the newest leaf pins: cheap enough for every write."""
    version = tables.version(root, name)
    if newest is None and version is None:
        return
    if newest is None or version is None or version > newest.version:
        shown = "no leaf" if newest is None else f"a leaf for version {newest.version}"
        present = "no commit" if version is None else f"version {version}"
        raise IntegrityError(f"{name}: the newest on disk is {present}, the ledger's database has {shown}. {CLOSED}")
    verify_commit(root, newest)


def verify_commit(root: Path, leaf: Leaf) -> None:
    """The commit file of one version is there, byte for byte."""
    path = tables.commit_path(root, leaf.table, leaf.version)
    if not path.exists():
        raise IntegrityError(f"{leaf.table} version {leaf.version}: its commit file is missing. {CLOSED}")
    if sha256(path) != leaf.commit_sha256:
        state = "empty" if path.stat().st_size == 0 else "not what was written"
        raise IntegrityError(f"{leaf.table} version {leaf.version}: its commit file is {state}. {CLOSED}")


def verify_version(root: Path, leaf: Leaf) -> None:
    """One version's commit file, and the data files that it added as far as they still exist (old ones are purged)."""
    verify_commit(root, leaf)
    for file in leaf.files:
        path = table_path(root, leaf.table) / tables.decoded(file.path)
        if path.exists() and sha256(path) != file.sha256:
            raise IntegrityError(
                f"{leaf.table} version {leaf.version}: data file {path.name} is not what was written. {CLOSED}"
            )


def verify_log(root: Path, name: str, leaves: Sequence[Leaf]) -> None:
    """Commits and leaves match one to one."""
    for leaf in leaves:
        verify_commit(root, leaf)
    unpinned = sorted(set(tables.versions(root, name)) - {leaf.version for leaf in leaves})
    if unpinned:
        raise IntegrityError(f"{name} version {unpinned[0]}: a commit without leaf, which is none of ours. {CLOSED}")


def verify_data(root: Path, name: str, leaves: Sequence[Leaf]) -> None:
    """Every data file of the newest version is there, byte for byte, and pinned by a leaf."""
    handle = tables.open_table(root, name)
    if handle is None:
        return
    pinned = {tables.decoded(f.path): (leaf.version, f.sha256) for leaf in leaves for f in leaf.files}
    for action in tables.active_files(handle):
        below = tables.decoded(str(action["path"]))
        path = table_path(root, name) / below
        version, digest = pinned.get(below, (handle.version(), None))
        if not path.exists():
            raise IntegrityError(f"{name} version {version}: data file {path.name} is missing. {CLOSED}")
        if digest is None:
            raise IntegrityError(f"{name} version {version}: data file {path.name} is pinned by no leaf. {CLOSED}")
        if sha256(path) != digest:
            raise IntegrityError(f"{name} version {version}: data file {path.name} is not what was written. {CLOSED}")


def verify_table(root: Path, name: str, leaves: Sequence[Leaf]) -> None:
    """The whole of it: log and data."""
    verify_log(root, name, leaves)
    verify_data(root, name, leaves)
