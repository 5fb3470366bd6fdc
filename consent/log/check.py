"""Whether the ledger's database still says what the witnessed log says (F10).

In: a connection, the log's folder, the operator's key, the witness. Out: nothing, or IntegrityError naming the first
bad index. `need_no_contradiction` looks at the log's right edge and stands before every publication; `contradictions`
reads everything, and stands before a run. An edited, deleted or reordered row and a restored older state are all found.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from consent import merkle
from consent.log import entries, note
from consent.log.note import Checkpoint
from consent.log.tiles import WIDTH, Tree, newest, split
from consent.log.witness import Witness
from consent.signing import Signers
from hanbeon.errors import HanbeonError, IntegrityError

AT_ONCE = 256 * WIDTH


@dataclass(frozen=True)
class Contradiction:
    """The first index of the log at which two of its keepers differ, and in what."""

    index: int
    what: str

    def __str__(self) -> str:
        return (
            f"The log contradicts the ledger's database: first bad index {self.index}, {self.what}. Nothing flows "
            "until it is resolved: restore the newest state of what was changed (docs/operate.md), then run again."
        )


def need_no_contradiction(
    conn: psycopg.Connection, folder: Path, before: Checkpoint | None, signers: Signers, witness: Witness
) -> None:
    """The quick check: sizes, signatures, the newest tile, and what each source has lost at its end."""
    need_signed(before, signers, witness)
    size = entries.size(conn)
    held = max(0 if before is None else before.size, witness.last()[0])
    if size < held:
        raise IntegrityError(str(Contradiction(size, f"from which the database lacks what {held} entries had")))
    found = [*_lost_at_the_end(conn)]
    if before is not None and before.size:
        start = (before.size - 1) // WIDTH * WIDTH
        found += [*_compare(conn, Tree(folder, before.size), start), *_sources(conn, start)]
        if not found and Tree(folder, before.size).root() != before.root:
            found.append(Contradiction(0, "since tiles and checkpoint have different roots"))
    if found:
        raise IntegrityError(str(min(found, key=lambda one: one.index)))


def need_signed(before: Checkpoint | None, signers: Signers, witness: Witness) -> None:
    """Raises IntegrityError when a checkpoint lies there that operator and witness did not both sign."""
    if before is None:
        return
    if before.origin != signers.origin:
        raise IntegrityError(
            f"The log's files are those of {before.origin}, and the settings name {signers.origin}. "
            "Set log.origin back."
        )
    keys = (note.vkey(signers.origin, signers.log), witness.vkey)
    if not all(note.is_signed_by(before, key) for key in keys):
        raise IntegrityError(
            "The log's checkpoint is not signed by the operator's and the witness's key. Restore checkpoint, tiles and "
            "key files of one state; nothing flows until then."
        )


def need_none(conn: psycopg.Connection, folder: Path, signers: Signers, witness: Witness) -> None:
    """Everything is compared. Raises IntegrityError naming the first bad index."""
    before = newest(folder)
    need_signed(before, signers, witness)
    found = contradictions(conn, folder, witness)
    if found:
        raise IntegrityError(str(found[0]))


def contradictions(conn: psycopg.Connection, folder: Path, witness: Witness | None = None) -> list[Contradiction]:
    """All entries against tiles and signed roots, all sources against entries, events against their hash. In order."""
    before = newest(folder)
    found = [*_sources(conn, 0), *_lost_at_the_end(conn)]
    seen = (0, merkle.EMPTY) if witness is None else witness.last()
    roots = {
        size: root for size, root in ((0 if before is None else before.size, before and before.root), seen) if root
    }
    size = entries.size(conn)
    if size < max(roots, default=0):
        found.append(Contradiction(size, f"from which the database lacks what {max(roots)} entries had"))
    if before is not None:
        found += _compare(conn, Tree(folder, before.size), 0)
    if not found:
        found += _roots(conn, roots)
    return sorted(found, key=lambda one: one.index)


def _compare(conn: psycopg.Connection, tree: Tree, start: int) -> Iterator[Contradiction]:
    """The first entry from `start`, a tile's first, that differs between database and files."""
    for first in range(start, tree.size, AT_ONCE):
        stop = min(first + AT_ONCE, tree.size)
        found = dict(entries.entries(conn, first, stop))
        try:
            for n in range(first // WIDTH, (stop - 1) // WIDTH + 1):
                hashes = split(tree.hashes(0, n))
                for index, held in enumerate(hashes, n * WIDTH):
                    entry = found.get(index)
                    if entry is None or merkle.leaf_hash(entry) != held or tree.entry(index) != entry:
                        yield Contradiction(index, "whose entry differs between database and files")
                        return
        except HanbeonError as error:
            yield Contradiction(n * WIDTH, f"since a file is damaged ({error})")
            return


def _roots(conn: psycopg.Connection, roots: dict[int, bytes]) -> Iterator[Contradiction]:
    """Whether the entries of the database have the roots that were signed."""
    for size, root in sorted(roots.items()):
        tops: list[bytes] = []
        for start in range(0, size, AT_ONCE):
            leaves = [merkle.leaf_hash(e) for _, e in entries.entries(conn, start, min(start + AT_ONCE, size))]
            tops.append(merkle.root(leaves))  # complete subtrees but the last, so their root is the tree's
        if merkle.root(tops) != root:
            yield Contradiction(0, f"since the {size} entries do not have the root that was signed")


_NEWEST = "select coalesce(max(number), 0) from ({}) as s"
_LOST = "select min(index) from log_entries where kind = any(%s) and number > %s"
_DIFFERENT = (
    "with e as materialized (select * from log_entries where index >= %s)"
    " select min(e.index) from e left join ({}) as s on s.kind = e.kind and s.number = e.number"
    " where e.kind = any(%s) and (s.stream, s.digest) is distinct from (e.stream, e.digest)"
)


def _lost_at_the_end(conn: psycopg.Connection) -> Iterator[Contradiction]:
    """Entries whose source ends before them: it was restored to an older state."""
    for name, (kinds, source) in entries.sources(conn).items():
        newest_number = entries.number_of(conn, _NEWEST.format(source))
        if entries.newest_number(conn, kinds) > newest_number:
            index = entries.number_of(conn, _LOST, [list(kinds), newest_number])
            yield Contradiction(index, f"which {name} no longer has")


def _sources(conn: psycopg.Connection, start: int) -> Iterator[Contradiction]:
    """Entries whose source says something else now, or nothing any more."""
    for name, (kinds, source) in entries.sources(conn).items():
        row = conn.execute(_DIFFERENT.format(source), [start, list(kinds)]).fetchone()
        if row is not None and row[0] is not None:
            yield Contradiction(int(row[0]), f"of which {name} says something else")
