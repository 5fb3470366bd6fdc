"""Files that must go, and bytes that must be nowhere.

`sweep` removes what no version ever referred to (a failed or killed writer's files), `purge` what only old versions
refer to: both under the table's writer lease, held by the caller. `scan` then looks for values in every file under a
root and says where they still are, by file and needle number, never the value.

    purge(root, "bronze/mois/resident_register"); assert not scan(root, ["..."])

Purging makes no Delta commit: the log names files, not content, and stays as it is, hash by hash. A reader of an old
version gets a clean error, a reader of the newest one notices nothing (F6).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from lake import tables
from lake.contents import Unreadable, contents
from lake.files import sync_folder
from lake.layout import COMMIT_FILE, LOG, table_path
from lake.needles import Needles

UNREADABLE = -1


@dataclass(frozen=True)
class Finding:
    """`needle` is the number of the needle in the order given, or UNREADABLE: the file cannot be vouched for."""

    path: Path
    needle: int
    count: int


def scan(root: Path, needles: Iterable[str | bytes]) -> list[Finding]:
    """Where any of the needles occurs under `root`.

    A text is looked for as UTF-8 and as UTF-16, 13 digits also with a hyphen after the sixth, bytes as they are. Every
    file is read raw; of a Parquet file also every decoded value, integers both as decimal text and as 8 bytes, little
    endian. Not seen into: archives and database files with compressed pages, none of which may lie in a lake.
    """
    sought = Needles(needles)
    findings: list[Finding] = []
    if not sought:
        return findings
    for path in sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink()):
        counted: dict[int, int] = {}
        try:
            for chunk, overlap in contents(path, sought.longest - 1):
                for number, count in sought.count(chunk, overlap).items():
                    counted[number] = counted.get(number, 0) + count
        except FileNotFoundError:
            continue  # removed meanwhile by its own writer
        except Unreadable:
            counted[UNREADABLE] = 1
        findings += [Finding(path, number, count) for number, count in sorted(counted.items())]
    return findings


def purge(root: Path, name: str) -> int:
    """Remove every data file that the newest version does not use. Returns how many files went."""
    handle = tables.open_table(root, name)
    if handle is None:
        return 0
    return _remove_but(root, name, {tables.decoded(str(f["path"])) for f in tables.active_files(handle)})


def sweep(root: Path, name: str) -> int:
    """Remove files that no version refers to, a killed writer's `*.parquet#1` too. Returns how many went."""
    return _remove_but(root, name, _referred(root, name))


def _referred(root: Path, name: str) -> set[str]:
    """Every data file that some version of the table ever added, by its path on disk."""
    referred = set()
    for version in tables.versions(root, name):
        lines = tables.commit_path(root, name, version).read_bytes().splitlines()
        for line in lines:
            if b'"add"' in line:
                referred.add(unquote(json.loads(line).get("add", {}).get("path", "")))
    return referred


def _remove_but(root: Path, name: str, keep: set[str]) -> int:
    base = table_path(root, name)
    gone = [path for path in _files(base) if _is_waste(path.relative_to(base), keep)]
    for path in gone:
        path.unlink()
    for folder in {path.parent for path in gone}:
        sync_folder(folder)
    return len(gone)


def _files(base: Path) -> Sequence[Path]:
    return sorted(p for p in base.rglob("*") if p.is_file()) if base.exists() else []


def _is_waste(below: Path, keep: set[str]) -> bool:
    """In the log everything but commits (deltalake writes one under another name first), else what is not kept."""
    if below.parts[0] == LOG:
        return COMMIT_FILE.fullmatch(below.name) is None
    return below.as_posix() not in keep
