"""Proofs out of the log's files: that an entry is in it, that it only grew, and that a range of it is whole.

In: the log's folder. Out: hashes, in the order of RFC 6962 sections 2.1.1 and 2.1.2 and of docs/proof.md section 5.
"""

from dataclasses import dataclass
from pathlib import Path

from consent.log.note import Checkpoint
from consent.log.tiles import Tree, newest
from hanbeon.errors import UsageError


@dataclass(frozen=True)
class Proof:
    """That `entry` is entry number `index` of the tree that the checkpoint signs."""

    index: int
    entry: bytes
    size: int
    path: list[bytes]
    checkpoint_text: str


def prove(folder: Path, index: int) -> Proof:
    """One entry and its path to the newest checkpoint. Raises UsageError when that does not cover it yet."""
    checkpoint = _newest(folder)
    _need(0 <= index < checkpoint.size, f"entry {index}", checkpoint)
    tree = Tree(folder, checkpoint.size)
    return Proof(index, tree.entry(index), tree.size, inclusion_path(tree, index, 0, checkpoint.size), checkpoint.text)


def consistency(folder: Path, old: int, new: int) -> list[bytes]:
    """That the tree of size `new` continues the one of size `old` (RFC 6962, section 2.1.2)."""
    checkpoint = _newest(folder)
    _need(0 <= old <= new <= checkpoint.size, f"a tree from {old} to {new}", checkpoint)
    return consistency_path(Tree(folder, checkpoint.size), old, new)


def range_proof(folder: Path, start: int, stop: int, size: int) -> tuple[list[bytes], list[bytes]]:
    """The hashes left and right of the entries start <= index < stop, by which the root of that size is recomputed."""
    checkpoint = _newest(folder)
    _need(0 <= start < stop <= size <= checkpoint.size, f"a range from {start} to {stop} of {size}", checkpoint)
    tree = Tree(folder, checkpoint.size)
    left: list[bytes] = []
    right: list[bytes] = []

    def visit(a: int, b: int) -> None:
        if b <= start or a >= stop:
            (left if b <= start else right).append(tree.subtree(a, b))
        elif not start <= a <= b <= stop:
            middle = _middle(a, b)
            visit(a, middle)
            visit(middle, b)

    visit(0, size)
    return left, right


def inclusion_path(tree: Tree, index: int, start: int, stop: int) -> list[bytes]:
    if stop - start == 1:
        return []
    middle = _middle(start, stop)
    if index < middle:
        return [*inclusion_path(tree, index, start, middle), tree.subtree(middle, stop)]
    return [*inclusion_path(tree, index, middle, stop), tree.subtree(start, middle)]


def consistency_path(tree: Tree, old: int, new: int) -> list[bytes]:
    """Empty when nothing was there before, or nothing was added."""
    return [] if old in (0, new) else _consistency(tree, old, 0, new, True)


def _consistency(tree: Tree, old: int, start: int, stop: int, is_whole: bool) -> list[bytes]:
    """`is_whole`: the old tree's part is this very subtree, whose hash the verifier knows."""
    if old == stop:
        return [] if is_whole else [tree.subtree(start, stop)]
    middle = _middle(start, stop)
    if old <= middle:
        return [*_consistency(tree, old, start, middle, is_whole), tree.subtree(middle, stop)]
    return [*_consistency(tree, old, middle, stop, False), tree.subtree(start, middle)]


def _middle(start: int, stop: int) -> int:
    """Where RFC 6962 splits: the largest power of two below the width."""
    return start + (1 << (stop - start - 1).bit_length() - 1)


def _newest(folder: Path) -> Checkpoint:
    checkpoint = newest(folder)
    if checkpoint is None:
        raise UsageError("The log has no checkpoint yet. Publish it first.")
    return checkpoint


def _need(is_there: bool, what: str, checkpoint: Checkpoint) -> None:
    if not is_there:
        raise UsageError(f"The log's checkpoint covers {checkpoint.size} entries, and not {what}. Publish, then ask.")
