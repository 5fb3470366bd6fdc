"""Files of the log, written so that they survive a power loss, and appear whole or not at all.

In: paths and bytes. Out: files. Each is written beside the tree, synced and renamed into place; `finish` syncs the
folders, after which the names are durable too. Whatever a killed writer left in `.unfinished` is swept by the next.
"""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

UNFINISHED = ".unfinished"


@dataclass(frozen=True)
class Writer:
    """Writes below one folder. Only one at a time: the caller holds the publisher's lock."""

    top: Path
    _folders: set[Path] = field(default_factory=set, repr=False)

    def put(self, path: Path, content: bytes) -> None:
        """Replace a file as a whole; its content is durable, its name once `finish` has returned."""
        unfinished = self.top / UNFINISHED / path.name
        if path.parent not in self._folders:
            self._enter(path.parent)
            self._enter(unfinished.parent)
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)

    def finish(self) -> None:
        """Sync every folder that was written into, the deepest first."""
        for folder in sorted(self._folders, key=lambda f: -len(f.parts)):
            sync_folder(folder)
        self._folders.clear()
        sweep(self.top)

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


def sweep(top: Path) -> None:
    """Remove what a killed writer left."""
    shutil.rmtree(top / UNFINISHED, ignore_errors=True)
