"""Many values looked for in one pass: tens of thousands of needles at tens of megabytes a second.

In: needles. Out: how often each occurs in a chunk. The last 8 bytes of each written form (the last 4, or all, of a
shorter one) are looked for at every position of the chunk by a table of hashes; what the table lets through is compared
in full. No needle is ever told to anybody: a needle is its number.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress

import numpy as np

WINDOWS = (8, 4)  # bytes compared at once; shorter forms are counted one by one
TABLE_BITS = 22
ODD = {8: np.uint64(0x9E3779B97F4A7C15), 4: np.uint64(0x9E3779B97F4A7C15)}


class Needles:
    """The needles, indexed by the end of each form in which they may be written. False when there is none."""

    def __init__(self, needles: Iterable[str | bytes]) -> None:
        self._short: list[tuple[bytes, int]] = []
        self._ends: dict[int, dict[int, list[tuple[bytes, int]]]] = {w: defaultdict(list) for w in WINDOWS}
        self.longest = 0
        for number, needle in enumerate(needles):
            for form in forms(needle):
                self.longest = max(self.longest, len(form))
                window = next((w for w in WINDOWS if len(form) >= w), None)
                if window is None:
                    self._short.append((form, number))
                else:
                    self._ends[window][int.from_bytes(form[-window:], "little")].append((form, number))
        self._tables = {w: _table(w, ends) for w, ends in self._ends.items() if ends}

    def __bool__(self) -> bool:
        return self.longest > 0

    def count(self, chunk: bytes, overlap: int = 0) -> dict[int, int]:
        """How often each needle ends in the chunk beyond its first `overlap` bytes."""
        found: dict[int, int] = defaultdict(int)
        for form, number in self._short:
            times = chunk.count(form, max(0, overlap - len(form) + 1))
            if times:
                found[number] += times
        for window, table in self._tables.items():
            for end, value in _candidates(chunk, window, table):
                for form, number in self._ends[window].get(value, ()):
                    if end > overlap and chunk[end - len(form) : end] == form and end >= len(form):
                        found[number] += 1
        return dict(found)


def forms(needle: str | bytes) -> list[bytes]:
    """The ways in which a value may be written down, in Korean files and JSON too.

    Raises ValueError for an empty one, which is everywhere.
    """
    if not needle:
        raise ValueError("An empty needle is everywhere.")
    if isinstance(needle, bytes):
        return [needle]
    written = [needle]
    if len(needle) == 13 and needle.isascii() and needle.isdigit():
        written.append(f"{needle[:6]}-{needle[6:]}")
    encoded = [w.encode(e) for w in written for e in ("utf-8", "utf-16-le", "utf-16-be")]
    if not needle.isascii():
        encoded.append(json.dumps(needle).strip('"').encode())
        with suppress(UnicodeEncodeError):
            encoded.append(needle.encode("cp949"))
    return list(dict.fromkeys(encoded))


def _hashes(values: np.ndarray, window: int) -> np.ndarray:
    return (values.astype(np.uint64) * ODD[window]) >> np.uint64(64 - TABLE_BITS)


def _table(window: int, ends: Iterable[int]) -> np.ndarray:
    table = np.zeros(1 << TABLE_BITS, dtype=np.bool_)
    table[_hashes(np.fromiter(ends, dtype=np.uint64), window)] = True
    return table


def _candidates(chunk: bytes, window: int, table: np.ndarray) -> Iterator[tuple[int, int]]:
    """(end, value) of every window of the chunk whose hash is in the table."""
    kind = np.dtype("<u8") if window == 8 else np.dtype("<u4")
    for start in range(min(window, len(chunk))):
        count = (len(chunk) - start) // window
        values = np.frombuffer(chunk, kind, count, start) if count else np.empty(0, kind)
        hits = np.flatnonzero(table[_hashes(values, window)])
        for hit in hits.tolist():
            yield start + (hit + 1) * window, int(values[hit])
