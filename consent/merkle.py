"""Merkle trees of RFC 6962, section 2.1: roots and inclusion paths over leaf hashes that fit in memory.

In: leaf hashes (32 bytes each), in order. Out: the root, or the path from one leaf to it. The log's tree, which does
not fit, is read by tiles (`consent.log`); row trees and trees of subjects are made here.
"""

import hashlib
from collections.abc import Sequence

from hanbeon.errors import UsageError

EMPTY = hashlib.sha256(b"").digest()
LEAF, NODE = b"\x00", b"\x01"


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()


def levels(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """The tree from its leaves up. A node without a neighbour moves up unchanged, which is RFC 6962's shape."""
    found = [list(hashes)]
    while len(found[-1]) > 1:
        below = found[-1]
        pairs = [node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        found.append(pairs + below[len(below) - 1 :] if len(below) % 2 else pairs)
    return found


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes; of none, the hash of nothing. Millions take a second or two."""
    level, sha256 = list(hashes), hashlib.sha256
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        pairs = iter(level)
        level = [sha256(NODE + left + right).digest() for left, right in zip(pairs, pairs, strict=False)] + odd
    return level[0] if level else EMPTY


def path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion path of one leaf, from the bottom up. Raises UsageError for an index outside of the tree."""
    return path_in(levels(hashes), index)


def path_in(tree: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """The same where many leaves of one tree are asked for: `tree` is what `levels` gave."""
    if not 0 <= index < len(tree[0]):
        raise UsageError(f"A tree of {len(tree[0])} leaves has no leaf {index}. Leaves count from 0.")
    found = []
    for level in tree[:-1]:
        neighbour = index ^ 1
        if neighbour < len(level):
            found.append(level[neighbour])
        index //= 2
    return found


def root_of_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root to which a leaf and its path lead in a tree of this size (RFC 9162, section 2.1.3.2).

    Raises UsageError when path, index and size do not fit together.
    """
    if not 0 <= index < size:
        raise UsageError(f"A tree of {size} leaves has no leaf {index}. Leaves count from 0.")
    at, last, found = index, size - 1, leaf
    for neighbour in path:
        if last == 0:
            raise UsageError("The path has more hashes than a tree of this size is high.")
        if at % 2 or at == last:
            found = node_hash(neighbour, found)
            while at % 2 == 0 and at:
                at, last = at // 2, last // 2
        else:
            found = node_hash(found, neighbour)
        at, last = at // 2, last // 2
    if last:
        raise UsageError("The path has fewer hashes than a tree of this size is high.")
    return found
