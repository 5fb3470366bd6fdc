"""A witness: signs a checkpoint only if the tree continues the one that it signed last.

In: a signed note and a consistency proof from the last size. Out: a cosignature line. The embedded one keeps its key
and its memory in a folder of its own; in production another organisation runs one, behind the same three members.
"""

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent import merkle
from consent.key_files import key_file
from consent.log import note
from consent.log.durable import writing
from hanbeon import clock
from hanbeon.errors import IntegrityError

LAST, KEY, LOCK = "last-checkpoint", "witness-signing.key", "lock"
FORKED = "The witness refuses: {}. The log was changed behind its back; nothing flows until that is resolved."


class Witness(Protocol):
    """What the publisher needs of one, whichever process it runs in."""

    @property
    def vkey(self) -> str: ...

    def last(self) -> tuple[int, bytes]:
        """Size and root that it signed last; 0 and the empty root before."""

    def cosign(self, signed_note: str, old_size: int, proof: Sequence[bytes]) -> str:
        """Its signature line. Raises IntegrityError when the tree does not continue the last one."""


@dataclass(frozen=True)
class EmbeddedWitness:
    """`operator` is the vkey of the one log that it watches."""

    folder: Path
    operator: str
    at: Callable[[], datetime] = field(default=clock.now, repr=False)

    @property
    def name(self) -> str:
        return f"{self.operator.partition('+')[0]}/witness"

    @property
    def vkey(self) -> str:
        return note.vkey(self.name, self._key(), note.COSIGNATURE)

    def last(self) -> tuple[int, bytes]:
        path = self.folder / LAST
        if not path.exists():
            return 0, merkle.EMPTY
        held = note.read(path.read_text(encoding="utf-8"))
        return held.size, held.root

    def cosign(self, signed_note: str, old_size: int, proof: Sequence[bytes]) -> str:
        checkpoint = note.read(signed_note)
        if not note.is_signed_by(checkpoint, self.operator):
            raise IntegrityError(FORKED.format("the operator's signature of the checkpoint is not valid"))
        with self._alone():
            size, root = self.last()
            if old_size != size:
                raise IntegrityError(
                    FORKED.format(f"it signed size {size} last, and is asked to go on from {old_size}")
                )
            need_consistent(size, root, checkpoint.size, checkpoint.root, proof)
            with writing(self.folder) as writer:  # remembered before it is signed, whatever comes after
                writer.put(self.folder / LAST, signed_note.encode())
            return note.cosign(checkpoint.signed, self.name, self._key(), int(self.at().timestamp()))

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(key_file(self.folder / KEY))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / LOCK).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def need_consistent(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Raises IntegrityError unless the proof shows that the new tree continues the old one (RFC 9162, 2.1.4.2)."""
    if size < old_size:
        raise IntegrityError(FORKED.format(f"a log of {old_size} entries has become one of {size}"))
    if old_size in (0, size):
        if proof or (old_size and root != old_root):
            raise IntegrityError(FORKED.format(f"the log has two roots at {size} entries"))
        return
    if _roots(old_size, old_root, size, proof) != (old_root, root):
        raise IntegrityError(FORKED.format(f"the log of {size} entries does not continue that of {old_size}"))


def _roots(old_size: int, old_root: bytes, size: int, proof: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The old and the new root to which a proof leads, or None when it has the wrong number of hashes."""
    hashes = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not hashes:
        return None
    at, last = old_size - 1, size - 1
    while at % 2:
        at, last = at // 2, last // 2
    old = new = hashes[0]
    for neighbour in hashes[1:]:
        if last == 0:
            return None
        if at % 2 or at == last:
            old, new = merkle.node_hash(neighbour, old), merkle.node_hash(neighbour, new)
            while at % 2 == 0 and at:
                at, last = at // 2, last // 2
        else:
            new = merkle.node_hash(new, neighbour)
        at, last = at // 2, last // 2
    return (old, new) if last == 0 else None
