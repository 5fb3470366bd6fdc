"""Files that survive a power loss, and their digests.

deltalake never calls fsync on a local disk; what is not synced can come back empty or not at all (F2). Everything that
the lake records as done goes through `sync_file` and `sync_folder` first.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

CHUNK = 1 << 20


def sync_folder(folder: Path) -> None:
    """Make the folder's entries (new, renamed, removed names) durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make a file's content durable; its name is durable once its folder is synced."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_entries(folders: Iterable[Path]) -> None:
    """Make the entries of several folders durable, the deepest first."""
    for folder in sorted(set(folders), key=lambda f: -len(f.parts)):
        sync_folder(folder)


def sync_files(paths: Iterable[Path], top: Path) -> None:
    """Sync files, then every folder from each file up to and including `top`, the deepest first."""
    folders: set[Path] = {top}
    for path in paths:
        sync_file(path)
        for folder in path.parents:
            folders.add(folder)
            if folder == top:
                break
    sync_entries(folders)


def make_folder(folder: Path) -> None:
    """Make a folder and its missing parents, each durable in its own parent."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def write_durably(path: Path, content: bytes) -> None:
    """Replace a file as a whole: whoever reads sees the old or the new content, also after a power loss."""
    make_folder(path.parent)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(path.parent)


def sha256(path: Path) -> str:
    """The digest of a file's bytes, in hexadecimal; the file is streamed."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
