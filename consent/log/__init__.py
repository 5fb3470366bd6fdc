"""The log: one append-only Merkle tree over what the ledger, the lake and the readers did (docs/proof.md, section 1).

    checkpoint = publish(conn, folder, signers, witness)   # sequence what is new, write tiles, sign, cosign
    proof = prove(folder, index_of(conn, Kind.EVENT, 12))   # from files alone

Everything below `folder` is files and standards: C2SP tlog-tiles, signed notes, cosignatures.
"""

from consent.log.entries import Kind, entry_bytes, index_of
from consent.log.note import Checkpoint
from consent.log.proofs import Proof, consistency, prove, range_proof
from consent.log.publish import publish
from consent.log.tiles import newest
from consent.log.witness import EmbeddedWitness, Witness

__all__ = [
    "Checkpoint",
    "EmbeddedWitness",
    "Kind",
    "Proof",
    "Witness",
    "consistency",
    "entry_bytes",
    "index_of",
    "newest",
    "prove",
    "publish",
    "range_proof",
]
