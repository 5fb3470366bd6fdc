"""A folder for one run's intermediate files, which hold personal data and must not outlive the run.

`workspace(parent, prefix)` yields a fresh folder and removes it at the end. What a killed run left in the same parent
is removed by the next (F1, P4): a folder is in use as long as its maker holds its lock, and a dead process holds none.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def workspace(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder in `parent` (made if missing), this caller's alone."""
    parent.mkdir(parents=True, exist_ok=True)
    sweep(parent, prefix)
    with _locked(parent):
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        in_use = _lock(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        os.close(in_use)


def sweep(parent: Path, prefix: str) -> int:
    """Remove the folders of runs that died; returns how many. Those of live runs are let be."""
    with _locked(parent):
        dead = [folder for folder in parent.glob(f"{prefix}*") if not _is_in_use(folder)]
        for folder in dead:
            shutil.rmtree(folder)
    return len(dead)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = _lock(folder)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(folder: Path, how: int = fcntl.LOCK_EX) -> int:
    """A lock on a folder, which ends with its descriptor, so with its process. Raises BlockingIOError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, how)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _is_in_use(folder: Path) -> bool:
    try:
        os.close(_lock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB))
    except (BlockingIOError, FileNotFoundError):  # held, or its own run removed it meanwhile
        return True
    return False
