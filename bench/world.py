"""How long a world takes to build: CPU and peak memory of the build, CPU of the agencies' PostgreSQL beside it.

    .venv/bin/python -m bench.world [--people 1000000]

Out: lines of figures. The floor is hashlib's SHA-256 over as many bytes as lie on disk afterwards, so that figures of
machines that are slower, or busy, can be compared: CPU seconds count work, wall seconds also count who else works here.
"""

import argparse
import hashlib
import os
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sources.simulate import world

TICKS = os.sysconf("SC_CLK_TCK")
BLOCK = bytes(1 << 20)
SAMPLE_SECONDS = 0.2


def _cpu_of(process: str) -> tuple[int, float]:
    """The parent of a process, and the CPU seconds that it has used."""
    fields = (Path("/proc") / process / "stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS


def _sample(home: Path, seen: dict[str, float]) -> None:
    """The newest figure of the PostgreSQL server under `home` and of each of its processes."""
    found = next(home.glob("agencies/postgres/**/postmaster.pid"), None)
    if found is None:
        return
    server = found.read_text().split("\n", 1)[0]
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent, used = _cpu_of(process)
        except OSError:  # it has ended meanwhile
            continue
        if server in (process, str(parent)):
            seen[process] = used


@contextmanager
def watched(home: Path) -> Iterator[dict[str, float]]:
    """CPU seconds by process of the server, sampled while the block runs."""
    seen: dict[str, float] = {}
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(SAMPLE_SECONDS):
            try:
                _sample(home, seen)
            except OSError:  # the server is just coming or going
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        is_over.set()
        watcher.join()


def floor(count: int) -> float:
    """CPU seconds for SHA-256 over so many bytes."""
    began, total = time.process_time(), hashlib.sha256()
    for _ in range(count // len(BLOCK)):
        total.update(BLOCK)
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100_000)
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        began = time.monotonic()
        with watched(home) as server:
            report = world.build(home, people, 1)
        wall = time.monotonic() - began
        used = resource.getrusage(resource.RUSAGE_SELF)
        size = sum(p.stat().st_size for p in home.rglob("*") if p.is_file())
    own, beside = used.ru_utime + used.ru_stime, sum(server.values())
    print(f"{people:,} people, {sum(report.records.values()):,} records, {size / 1e6:,.0f} MB on disk")
    print(f"wall {wall:,.0f} s; CPU {own:,.0f} s of the build and {beside:,.0f} s of PostgreSQL")
    print(f"peak memory of the build {used.ru_maxrss / 1024:,.0f} MB")
    print(f"floor: {floor(size):,.1f} CPU s for SHA-256 over what lies on disk")


if __name__ == "__main__":
    main()
