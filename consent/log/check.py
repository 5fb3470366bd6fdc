"""Whether the ledger's database still says what the witnessed log says (F10).

In: a connection, the log's folder, the operator's key, the witness. Out: nothing, or IntegrityError naming the first
bad index. `need_no_contradiction` looks at the log's right edge and stands before every publication; `contradictions`
reads everything, and stands before a run. An edited, deleted or reordered row and a restored older state are all found.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psycopg

from consent import merkle
from consent.log import entries, note
from consent.log.contents import Contradiction, edited_contents
from consent.log.note import Checkpoint
from consent.log.tiles import HASH_BYTES, PREFIX, PREFIXED_BYTES, WIDTH, Tree, newest
from consent.log.witness import Witness
from consent.signing import Signers
from hanbeon.errors import IntegrityError

AT_ONCE = 256 * WIDTH


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
        tree, held_now = Tree(folder, before.size), entries.entries(conn, start, before.size)
        different = _compare(
            tree, range(start, tree.size), held_now, [merkle.leaf_hash(entry) for _, entry in held_now]
        )
        found += [*([different] if different else []), *_sources(conn, start)]
        if not found and tree.root() != before.root:
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
    """All entries against tiles and signed roots, all sources against entries, all contents against their hash.

    Ordered by index; empty when everything agrees.
    """
    before = newest(folder)
    signed = {} if before is None else {before.size: before.root}
    if witness is not None:
        size, root = witness.last()  # a publisher may have died before it showed this one
        signed.setdefault(size, root)
    found = [*_lost_at_the_end(conn), *_sources(conn, 0), *edited_contents(conn)]
    size = entries.size(conn)
    if size < max(signed, default=0):
        found.append(Contradiction(size, f"from which the database lacks what {max(signed)} entries had"))
    within = {n: root for n, root in signed.items() if n <= size}
    found += _differences(conn, None if before is None else Tree(folder, before.size), size, within)
    return sorted(found, key=lambda one: one.index)


def _differences(
    conn: psycopg.Connection, tree: Tree | None, size: int, signed: Mapping[int, bytes]
) -> Iterator[Contradiction]:
    """The first entry that differs between database and files; if none does, a root that differs."""
    covered = 0 if tree is None else min(tree.size, size)
    tops: list[bytes] = []
    roots = {0: merkle.EMPTY}
    for start in range(0, max([covered, *signed]), AT_ONCE):
        found = entries.entries(conn, start, start + AT_ONCE)
        leaves = [merkle.leaf_hash(entry) for _, entry in found]
        different = tree and _compare(tree, range(start, min(start + AT_ONCE, covered)), found, leaves)
        if different:
            yield different
            return
        roots |= {n: merkle.root([*tops, merkle.root(leaves[: n - start])]) for n in signed if 0 < n - start <= AT_ONCE}
        tops.append(merkle.root(leaves))
    for at, root in sorted(signed.items()):
        if roots[at] != root:
            yield Contradiction(0, f"since its {at} entries do not have the root that was signed")


def _compare(
    tree: Tree, span: range, found: Sequence[tuple[int, bytes]], leaves: Sequence[bytes]
) -> Contradiction | None:
    """The entries of a span that begins with a tile's first, against the tiles that hold their hashes and bytes."""
    for first in span[::WIDTH]:
        indexes = span[first - span.start :][:WIDTH]
        part = slice(first - span.start, first - span.start + len(indexes))
        try:
            hashes, bundle = tree.hashes(0, first // WIDTH), tree.bundle(first // WIDTH)
        except IntegrityError as error:
            return Contradiction(first, f"since a file is damaged ({error})")
        held = b"".join(leaves[part]), b"".join([PREFIX + entry for _, entry in found[part]])
        if (hashes[: len(indexes) * HASH_BYTES], bundle[: len(indexes) * PREFIXED_BYTES]) == held:
            continue
        own = dict(found[part])
        for index in indexes:
            entry = own.get(index)
            if entry is None or tree.prefixed(index) != PREFIX + entry or tree.leaf(index) != merkle.leaf_hash(entry):
                return Contradiction(index, "whose entry differs between database and files")
    return None


_NEWEST = "select coalesce(max(number), 0) from ({}) as s"
_LOST = "select min(index) from log_entries where kind = any(%s) and number > %s"
_DIFFERENT = (
    "select min(e.index) from log_entries as e left join ({}) as s on s.kind = e.kind and s.number = e.number"
    " where e.kind = any(%(kinds)s) and (s.stream, s.digest) is distinct from (e.stream, e.digest)"
)
_DIFFERENT_AT_THE_END = (  # one look-up an entry, whatever the planner guesses
    "with e as materialized (select * from log_entries where index >= %(start)s order by index)"
    " select min(e.index) from e left join lateral (select * from ({}) as all_of_it"
    " where kind = e.kind and number = e.number offset 0) as s on true"
    " where e.kind = any(%(kinds)s) and (s.stream, s.digest) is distinct from (e.stream, e.digest)"
)


def _lost_at_the_end(conn: psycopg.Connection) -> Iterator[Contradiction]:
    """Entries whose source ends before them: it was restored to an older state."""
    for name, (kinds, source) in entries.SOURCES.items():
        newest_number = entries.number_of(conn, _NEWEST.format(source))
        if entries.newest_number(conn, kinds) > newest_number:
            index = entries.number_of(conn, _LOST, [list(kinds), newest_number])
            yield Contradiction(index, f"which {name} no longer has")


def _sources(conn: psycopg.Connection, start: int) -> Iterator[Contradiction]:
    """Entries whose source says something else now, or nothing any more."""
    for name, (kinds, source) in entries.SOURCES.items():
        query = _DIFFERENT_AT_THE_END if start else _DIFFERENT
        row = conn.execute(query.format(source), {"start": start, "kinds": list(kinds)}).fetchone()
        if row is not None and row[0] is not None:
            yield Contradiction(int(row[0]), f"of which {name} says something else")
