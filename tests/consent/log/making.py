"""Logs for tests: what signs them, how to fill them, and a tree worked out the slow way.

`reference_root` and the path functions follow RFC 6962 word for word over whole lists and share nothing with the code.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from consent import append, signing
from consent.bodies import BodyKind, record_body
from consent.key_files import FileKeys
from consent.log import EmbeddedWitness, entries, note, publish
from consent.log.note import Checkpoint
from consent.signing import Signers

AT = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
ORIGIN = "hanbeon.test/log"


@dataclass(frozen=True)
class Parties:
    """The log's folder, and who signs."""

    folder: Path
    signers: Signers
    witness: EmbeddedWitness

    @property
    def operator_vkey(self) -> str:
        return note.vkey(self.signers.origin, self.signers.log)


def parties(home: Path) -> Parties:
    signers = signing.signers(FileKeys(home / "keys"), ORIGIN)
    witness = EmbeddedWitness(home / "witness", note.vkey(ORIGIN, signers.log))
    return Parties(home / "lake" / "log", signers, witness)


def publish_all(conn: psycopg.Connection, who: Parties) -> Checkpoint:
    return publish(conn, who.folder, who.signers, who.witness)


def append_events(conn: psycopg.Connection, count: int) -> None:
    """So many ledger events about nothing."""
    with conn.transaction():
        newest = append.lock(conn)
        given = [append.entry("hold_lifted", f"subject {n}", {"n": n}) for n in range(count)]
        append.append(conn, newest, given, AT)


def add_statement(conn: psycopg.Connection, text: str, stream: str = "") -> int:
    return record_body(conn, BodyKind.FINDING, {"text": text}, stream)


def all_entries(conn: psycopg.Connection) -> list[bytes]:
    return [entry for _, entry in entries.entries(conn, 0, entries.size(conn))]


def reference_root(data: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = _middle(len(data))
    return hashlib.sha256(b"\x01" + reference_root(data[:k]) + reference_root(data[k:])).digest()


def _middle(count: int) -> int:
    """The largest power of two below a count."""
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def reference_path(m: int, data: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1."""
    if len(data) == 1:
        return []
    k = _middle(len(data))
    if m < k:
        return [*reference_path(m, data[:k]), reference_root(data[k:])]
    return [*reference_path(m - k, data[k:]), reference_root(data[:k])]


def reference_proof(m: int, data: list[bytes], is_whole: bool = True) -> list[bytes]:
    """PROOF and SUBPROOF of RFC 6962, section 2.1.2."""
    if m == len(data):
        return [] if is_whole else [reference_root(data)]
    k = _middle(len(data))
    if m <= k:
        return [*reference_proof(m, data[:k], is_whole), reference_root(data[k:])]
    return [*reference_proof(m - k, data[k:], False), reference_root(data[:k])]


def reference_range_root(
    a: int, b: int, size: int, data: list[bytes], left: Iterator[bytes], right: Iterator[bytes], start: int = 0
) -> bytes:
    """The root from the entries a <= i < b and the hashes beside them, as docs/proof.md has it."""
    if start + size <= a:
        return next(left)
    if start >= b:
        return next(right)
    if size == 1:
        return hashlib.sha256(b"\x00" + data[start - a]).digest()
    k = _middle(size)
    first = reference_range_root(a, b, k, data, left, right, start)
    second = reference_range_root(a, b, size - k, data, left, right, start + k)
    return hashlib.sha256(b"\x01" + first + second).digest()
