"""How fast the log is: publishing a large batch, a handful, and proofs, beside a floor and a peer.

    .venv/bin/python -m bench.log [--entries 1000000] [--peer 20000]

Out: lines of figures. The floor is hashlib alone over the same bytes, the same number of hashes, nothing written; the
peer is pymerkle's tree in memory. A real PostgreSQL is started for it and removed again.
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from pymerkle import InmemoryTree  # type: ignore[import-untyped]

from consent import schema, signing
from consent.append import append, entry, lock
from consent.key_files import FileKeys
from consent.log import EmbeddedWitness, check, consistency, note, prove, publish
from consent.log.entries import entries
from hanbeon.clock import now
from hanbeon.postgres import cluster, database

ORIGIN = "bench.local/log"
PROOFS = 200
HANDFUL = 5
STATEMENTS = """
insert into log_bodies (kind, stream, body, digest)
select 5, '', body, sha256(convert_to(body, 'UTF8')) from (select '{"n":' || n || '}' as body
from generate_series(1, %s) as n) as statements
"""


@contextmanager
def timed(what: str, count: int = 1) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds = time.perf_counter() - began
    each = f"{count / seconds:,.0f}/s" if count > 1000 else f"{seconds / count * 1000:.2f} ms each"
    print(f"{what:58} {seconds:8.3f} s  {each}")


SCOPES = [{"columns": ["A", "B", "C"], "document_type": name, "subject_key": "1"} for name in ("FAMR", "RRT", "INCM")]


def events(conn: psycopg.Connection, count: int) -> None:
    with conn.transaction():
        append(conn, lock(conn), [entry("granted", f"auth-{n}", {"scopes": SCOPES}) for n in range(count)], now())


def floor(found: list[bytes]) -> None:
    for one in found:
        hashlib.sha256(one).digest()
    node = bytes(65)
    for _ in found:
        hashlib.sha256(node).digest()


def peer(found: list[bytes]) -> None:
    tree = InmemoryTree(algorithm="sha256")
    for one in found:
        tree.append_entry(one)
    tree.get_root()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--peer", type=int, default=20_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, cluster(Path(home) / "postgres") as dsn:
        measure(Path(home), database(dsn, "small"), 100_000, given.peer)
        measure_proofs(Path(home) / "large", database(dsn, "large"), given.entries)


def measure(home: Path, dsn: str, count: int, peers: int) -> None:
    who = signing.signers(FileKeys(home / "keys"), ORIGIN)
    witness = EmbeddedWitness(home / "witness", note.vkey(ORIGIN, who.log))
    with schema.connect(dsn) as conn:
        events(conn, count)
        with timed(f"publish {count:,} events (sequence, hash, write, sign)", count):
            publish(conn, home / "log", who, witness)
        found = [one for _, one in entries(conn, 0, count)]
        with timed(f"floor: hashlib over the same {count:,} entries and nodes", count):
            floor(found)
        with timed(f"peer: pymerkle, {peers:,} entries in memory", peers):
            peer(found[:peers])
        with timed("publish a handful of events, 20 times", 20):
            for _ in range(20):
                events(conn, HANDFUL)
                publish(conn, home / "log", who, witness)
        with timed("publish when nothing is new, 20 times", 20):
            for _ in range(20):
                publish(conn, home / "log", who, witness)
        with timed(f"hold {count:,} entries against everything (F10)", count):
            assert not check.contradictions(conn, home / "log", witness)


def measure_proofs(home: Path, dsn: str, count: int) -> None:
    """Statements, which are the cheapest to make."""
    who = signing.signers(FileKeys(home / "keys"), ORIGIN)
    witness = EmbeddedWitness(home / "witness", note.vkey(ORIGIN, who.log))
    with schema.connect(dsn) as conn:
        with timed(f"PostgreSQL alone: {count:,} rows of log_bodies", count):
            conn.execute(STATEMENTS, [count])
        with timed(f"publish {count:,} statements with their bodies", count):
            publish(conn, home / "log", who, witness)
    step = count // PROOFS
    with timed(f"inclusion proofs in {count:,} entries", PROOFS):
        for index in range(0, step * PROOFS, step):
            prove(home / "log", index)
    with timed(f"consistency proofs up to {count:,} entries", PROOFS):
        for old in range(1, step * PROOFS, step):
            consistency(home / "log", old, count)


if __name__ == "__main__":
    main()
