"""Publishing the log: sequence what is new, write the tiles, sign, let the witness cosign, show the checkpoint.

In: a connection to the ledger's database, the log's folder, the operator's key and a witness. Out: a checkpoint that
both signed. One publisher at a time, by an advisory lock of the database. Nothing is shown before it is durable,
and the checkpoint is written last: killed anywhere, the log is an older valid one, and the next publisher goes on.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import psycopg
from psycopg.pq import TransactionStatus

from consent import merkle
from consent.log import check, entries, note
from consent.log.durable import Writer, writing
from consent.log.note import Checkpoint
from consent.log.proofs import consistency_path
from consent.log.tiles import BODIES, CHECKPOINT, ENTRIES, PREFIX, WIDTH, Tree, level, newest, split, tile_path
from consent.log.witness import Witness
from consent.signing import Signers
from hanbeon.errors import DependencyDown, UsageError

LOCK = 0x68616E64
AT_ONCE = 256 * WIDTH


def publish(conn: psycopg.Connection, folder: Path, signers: Signers, witness: Witness) -> Checkpoint:
    """Bring everything that is committed under a witnessed checkpoint; the newest one, if there is nothing new.

    Raises IntegrityError when database and files contradict each other (F10); then nothing is written.
    """
    with _disk_failures(), alone(conn):
        before = newest(folder)
        check.need_no_contradiction(conn, folder, before, signers, witness)
        size = entries.sequence(conn)
        if before is not None and before.size == size:
            return before
        _grow(conn, folder, 0 if before is None else before.size, size)
        return _sign(folder, size, signers, witness)


@contextmanager
def _disk_failures() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DependencyDown(
            f"The log could not be written or read ({type(error).__name__}). Its checkpoint is the one before; see to "
            "disk space and rights of the lake's log folder and of the witness's, then run again."
        ) from error


@contextmanager
def alone(conn: psycopg.Connection) -> Iterator[None]:
    """Hold the log alone. What is sequenced must be committed before a file names it."""
    if conn.info.transaction_status is not TransactionStatus.IDLE or not conn.autocommit:
        raise UsageError("The log is published outside of any transaction. Commit first, then publish.")
    conn.execute("select pg_advisory_lock(%s)", [LOCK])
    try:
        yield
    finally:
        if not conn.closed:
            conn.execute("select pg_advisory_unlock(%s)", [LOCK])


def _sign(folder: Path, size: int, signers: Signers, witness: Witness) -> Checkpoint:
    """The checkpoint is shown once it is cosigned: there is none that the witness does not know."""
    tree = Tree(folder, size)
    root = tree.root()
    text = note.body(signers.origin, size, root)
    signed = text + "\n" + note.sign(text, signers.origin, signers.log)
    seen, _ = witness.last()  # larger than the checkpoint before, if a publisher died before it showed its own
    whole = signed + witness.cosign(signed, seen, consistency_path(tree, seen, size))
    with writing(folder) as writer:
        writer.put(folder / CHECKPOINT, whole.encode())
    return Checkpoint(signers.origin, size, root, whole)


def _grow(conn: psycopg.Connection, folder: Path, old: int, size: int) -> None:
    """Write every tile, bundle of entries and body that the tree has at `size` and had not at `old`."""
    with writing(folder) as writer:
        edge = Edge(writer, Tree(folder, old))
        for start in range(old - old % WIDTH, size, AT_ONCE):
            stop = min(start + AT_ONCE, size)
            found = [entry for _, entry in entries.entries(conn, start, stop)]
            for at in range(0, len(found), WIDTH):
                _write_tile(edge, (start + at) // WIDTH, found[at : at + WIDTH])
            _write_bodies(conn, writer, start, stop, old)
        edge.close()
    for path in edge.finished:
        shutil.rmtree(path.with_name(f"{path.name}.p"), ignore_errors=True)


def _write_tile(edge: "Edge", n: int, found: list[bytes]) -> None:
    folder, width = edge.old.folder, len(found)
    edge.put(tile_path(folder, ENTRIES, n, width), b"".join([PREFIX + entry for entry in found]))
    hashes = [merkle.leaf_hash(entry) for entry in found]
    edge.put(tile_path(folder, level(0), n, width), b"".join(hashes))
    if width == WIDTH:
        edge.add(1, merkle.root(hashes))


def _write_bodies(conn: psycopg.Connection, writer: Writer, start: int, stop: int, old: int) -> None:
    """Files of bodies are replaced as wholes, so that a crash leaves no half line."""
    found = entries.public_bodies(conn, start, stop)
    for n, group in groupby(found, key=lambda row: row[0] // WIDTH):
        rows = list(group)
        if rows[-1][0] >= old:
            lines = [f'{{"body":{body},"index":{index}}}\n' for index, body in rows]
            writer.put(tile_path(writer.top, BODIES, n), "".join(lines).encode())


class Edge:
    """The growing right edge of the tiles above the leaves: what the last tile of each level holds so far."""

    def __init__(self, writer: Writer, old: Tree) -> None:
        self.writer, self.old = writer, old
        self.finished: list[Path] = []
        self._held: dict[int, tuple[int, list[bytes]]] = {}

    def put(self, path: Path, content: bytes) -> None:
        self.writer.put(path, content)
        if path.with_name(f"{path.name}.p").is_dir():
            self.finished.append(path)

    def add(self, height: int, found: bytes) -> None:
        """One more hash at a level of tiles; a tile that is full goes to disk and its root one level up."""
        n, held = self._held.get(height) or self._before(height)
        held.append(found)
        self._held[height] = (n, held)
        if len(held) == WIDTH:
            self.put(tile_path(self.old.folder, level(height), n), b"".join(held))
            self._held[height] = (n + 1, [])
            self.add(height + 1, merkle.root(held))

    def close(self) -> None:
        for height, (n, held) in self._held.items():
            if held:
                self.put(tile_path(self.old.folder, level(height), n, len(held)), b"".join(held))

    def _before(self, height: int) -> tuple[int, list[bytes]]:
        """What the old tree had in its last tile of this level."""
        count = self.old.size >> (8 * height)
        n = count // WIDTH
        return n, split(self.old.hashes(height, n)) if count % WIDTH else []
