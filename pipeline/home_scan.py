"""Look through everything that a run ever made for what an erasure took away (P4).

In: an erasure of `erase --now`. Out: how much was looked through, and every file that still says one of the values, by
its path and the kind of value, never the value. Home, lake and witness, the simulated agencies apart, which stand for
holders with laws of their own.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from consent.erasures import Erasure
from lake.contents import Unreadable, contents
from lake.needles import Needles
from lake.unpacked import unpacked
from pipeline.run import Run

EVIDENCE = "evidence id"
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Finding:
    """`kind` is the official name of a column, `identifier`, `evidence id`, or that the file cannot be read."""

    path: Path
    kind: str


@dataclass(frozen=True)
class Looked:
    """What a scan did, and where it found something."""

    needles: int
    files: int
    bytes: int
    findings: tuple[Finding, ...]


def scan(run: Run, erasure: Erasure) -> Looked:
    kinds = [(needle, EVIDENCE) for needle in erasure.needles]
    for kind, values in erasure.values.by_class if erasure.values is not None else ():
        kinds += [(value, kind) for value in values]
    sought = Needles(needle for needle, _ in kinds)
    files = size = 0
    findings: list[Finding] = []
    for path in _files(run) if sought else ():
        try:
            size += path.stat().st_size
            numbers, is_readable = _look(path, sought, not path.is_relative_to(run.settings.postgres_path))
        except FileNotFoundError:
            continue  # removed meanwhile by its own writer
        files += 1
        found = {kinds[number][1] for number in numbers} | (set() if is_readable else {UNREADABLE})
        findings += [Finding(path, kind) for kind in sorted(found)]
    return Looked(len(kinds), files, size, tuple(findings))


def sentence(findings: Sequence[Finding]) -> str:
    """What was found, for whoever has to remove it."""
    first = findings[0]
    what = "cannot be read, so nobody can vouch for it" if first.kind == UNREADABLE else f"still holds: {first.kind}"
    more = f", and {len(findings) - 1} more were found" if len(findings) > 1 else ""
    return (
        f"Everything is erased from the tables, but {first.path} {what}{more}. Remove the file, then run "
        "`hanbeon erase --now` again; until then there is no certificate."
    )


def _files(run: Run) -> Iterator[Path]:
    """Every file of home, lake and witness, each once."""
    chosen = run.settings
    roots: list[Path] = []
    for root in (chosen.home_path, chosen.lake_root, chosen.witness_path):
        if not any(root.is_relative_to(one) for one in roots):
            roots.append(root)
    for root in roots:
        for folder, names, files in os.walk(root):
            names[:] = sorted(name for name in names if Path(folder, name) != chosen.agencies_path)
            yield from (path for path in (Path(folder, name) for name in sorted(files)) if _is_plain(path))


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _look(path: Path, sought: Needles, is_packed: bool) -> tuple[set[int], bool]:
    """The numbers of the needles that a file holds, and whether all of it could be read."""
    found: set[int] = set()
    overlap = sought.longest - 1
    is_readable = True
    for read in (contents, unpacked) if is_packed else (contents,):
        try:
            for chunk, kept in read(path, overlap):
                found.update(sought.count(chunk, kept))
        except Unreadable:
            is_readable = False
    return found, is_readable
