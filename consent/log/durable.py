"""Files of the log, written so that they survive a power loss, and appear whole or not at all.

In: paths and bytes. Out: files. Each is written beside the tree, synced and renamed into place; at the end of `writing`
the folders are synced, after which the names are durable too. Whatever a killed writer left in `.unfinished` is swept
by the next. Files are synced a batch at a time, several at once: one sync carries most of the others along.
"""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

UNFINISHED = ".unfinished"
BATCH = 256
SYNCED_AT_ONCE = 8


@contextmanager
def writing(top: Path) -> Iterator["Writer"]:
    """Files below one folder, all of them durable on leaving. One writer at a time: the caller sees to that."""
    writer = Writer(top)
    try:
        yield writer
        writer.finish()
    finally:
        writer.close()
        shutil.rmtree(top / UNFINISHED, ignore_errors=True)


@dataclass(frozen=True)
class Writer:
    """What `writing` gives."""

    top: Path
    _waiting: list[tuple[int, Path, Path]] = field(default_factory=list, repr=False)
    _folders: set[Path] = field(default_factory=set, repr=False)

    def put(self, path: Path, content: bytes) -> None:
        """Replace a file as a whole. It is there, and durable, once `writing` has been left."""
        unfinished = self.top / UNFINISHED / str(len(self._waiting))
        if path.parent not in self._folders:
            self._enter(path.parent)
            self._enter(unfinished.parent)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._waiting.append((descriptor, unfinished, path))
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(content)
        if len(self._waiting) == BATCH:
            self._place()

    def finish(self) -> None:
        """Put every file into its place, then sync every folder that was written into, the deepest first."""
        self._place()
        for folder in sorted(self._folders, key=lambda f: -len(f.parts)):
            sync_folder(folder)
        self._folders.clear()

    def close(self) -> None:
        while self._waiting:
            os.close(self._waiting.pop()[0])

    def _place(self) -> None:
        descriptors = [descriptor for descriptor, _, _ in self._waiting]
        if len(descriptors) > SYNCED_AT_ONCE:  # the disk takes syncs that come together in one go
            with ThreadPoolExecutor(SYNCED_AT_ONCE) as pool:
                list(pool.map(os.fsync, descriptors))
        else:
            for descriptor in descriptors:
                os.fsync(descriptor)
        for _, unfinished, path in self._waiting:
            unfinished.replace(path)
        self.close()

    def _enter(self, folder: Path) -> None:
        for made in reversed([f for f in (folder, *folder.parents) if not f.exists()]):
            made.mkdir(exist_ok=True)
            self._folders.add(made.parent)
        self._folders.add(folder)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
