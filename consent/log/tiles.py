"""Tiles: the files of the tree, as C2SP tlog-tiles names them, and reading hashes and entries out of them.

In: the log's folder and a size. Out: paths, the newest checkpoint, hashes of complete subtrees, entries. Only the tiles
that an answer needs are read.
"""

from dataclasses import dataclass, field
from pathlib import Path

from consent import merkle
from consent.log import note
from consent.log.entries import ENTRY_BYTES
from consent.log.note import Checkpoint
from hanbeon.errors import DependencyDown, IntegrityError

WIDTH, HEIGHT, HASH_BYTES = 256, 8, 32
CHECKPOINT = "checkpoint"
ENTRIES, BODIES = "tile/entries", "bodies"
PREFIX = ENTRY_BYTES.to_bytes(2, "big")
PREFIXED_BYTES = len(PREFIX) + ENTRY_BYTES


def level(number: int) -> str:
    return f"tile/{number}"


def tile_path(folder: Path, kind: str, n: int, width: int = WIDTH) -> Path:
    """The file of a full tile, or of a partial one of this width."""
    groups = [f"{n % 1000:03d}"]
    while n := n // 1000:
        groups.insert(0, f"x{n % 1000:03d}")
    path = folder.joinpath(kind, *groups)
    return path if width == WIDTH else path.with_name(f"{path.name}.p") / str(width)


def newest(folder: Path) -> Checkpoint | None:
    """The newest checkpoint, or None before the first. Its signatures are for the reader to verify."""
    try:
        return note.read((folder / CHECKPOINT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DependencyDown(
            "The log's checkpoint cannot be read. See to the folder of the log and its rights."
        ) from error
    except UnicodeDecodeError as error:
        raise IntegrityError("The log's checkpoint is not UTF-8 text. Restore it from a copy.") from error


@dataclass(frozen=True)
class Tree:
    """The tree of one size, whose tiles lie below the folder. Tiles that were read are kept as long as it is."""

    folder: Path
    size: int
    _read: dict[tuple[str, int], bytes] = field(default_factory=dict, repr=False)

    def tile(self, kind: str, n: int, width: int, unit: int) -> bytes:
        """The first `width` things of a tile. A partial that is gone has been taken over by the full tile."""
        if (kind, n) not in self._read:
            self._read[kind, n] = self._file(kind, n, width, width * unit)
        return self._read[kind, n]

    def _file(self, kind: str, n: int, width: int, length: int) -> bytes:
        """A publisher may remove the partial at any moment; the full tile is there before."""
        own = tile_path(self.folder, kind, n, width)
        for path in (own, tile_path(self.folder, kind, n)):
            try:
                content = path.read_bytes()[:length]
            except (FileNotFoundError, NotADirectoryError):
                continue
            if len(content) == length:
                return content
        name = own.relative_to(self.folder)
        raise IntegrityError(f"The log's file {name} is missing or too short. Restore it from a copy.")

    def hashes(self, height: int, n: int) -> bytes:
        """All hashes of tile n at a level of tiles, joined."""
        count = (self.size >> (HEIGHT * height)) - n * WIDTH
        return self.tile(level(height), n, min(count, WIDTH), HASH_BYTES)

    def bundle(self, n: int) -> bytes:
        """The entries of tile n, each with its length before it."""
        return self.tile(ENTRIES, n, min(self.size - n * WIDTH, WIDTH), PREFIXED_BYTES)

    def prefixed(self, index: int) -> bytes:
        n, at = divmod(index, WIDTH)
        return self.bundle(n)[at * PREFIXED_BYTES : (at + 1) * PREFIXED_BYTES]

    def entry(self, index: int) -> bytes:
        return self.prefixed(index)[len(PREFIX) :]

    def leaf(self, index: int) -> bytes:
        """The leaf hash of an entry, as its tile has it."""
        n, at = divmod(index, WIDTH)
        return self.hashes(0, n)[at * HASH_BYTES : (at + 1) * HASH_BYTES]

    def subtree(self, start: int, stop: int) -> bytes:
        """RFC 6962's hash over the leaves start <= index < stop, a range that its recursion meets."""
        if start == stop:
            return merkle.EMPTY
        width = stop - start
        below = 1 << (width - 1).bit_length()
        if below == width:
            return self._complete(width.bit_length() - 1, start // width)
        middle = start + below // 2
        return merkle.node_hash(self.subtree(start, middle), self.subtree(middle, stop))

    def root(self) -> bytes:
        return self.subtree(0, self.size)

    def _complete(self, height: int, index: int) -> bytes:
        """The node over 2^height leaves, from the one tile that holds it or what lies under it."""
        tiles, inside = divmod(height, HEIGHT)
        n, at = divmod(index << inside, WIDTH)
        found = self.hashes(tiles, n)
        return merkle.root([found[i * HASH_BYTES : (i + 1) * HASH_BYTES] for i in range(at, at + (1 << inside))])


def split(joined: bytes) -> list[bytes]:
    return [joined[i : i + HASH_BYTES] for i in range(0, len(joined), HASH_BYTES)]
