"""How fast row trees are: the leaf hashes and root of one data file, beside a floor.

    .venv/bin/python -m bench.rows [--rows 2000000]

Out: lines of figures. The floor is hashlib alone: the same number of hashes (five a row, and the tree's) over texts of
the same length, which are there already.
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from consent import merkle
from lake import rows

HASHES_A_ROW = 5


@contextmanager
def timed(what: str, count: int) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds = time.perf_counter() - began
    print(f"{what:58} {seconds:8.2f} s  {count / seconds:,.0f} rows/s")


def certificates(count: int) -> pa.Table:
    """Rows as gold holds them: keys, ids, an address."""
    return pa.table(
        {
            "_subject_key": pa.array(range(count), pa.int64()),
            "_evidence_id": [f"{n:032x}" for n in range(count)],
            "_authorisation_id": ["auth-abcdefghijklmnop"] * count,
            "_pulled_at": pa.array(range(count), pa.timestamp("us", tz="UTC")),
            "SELF_FLNM": ["김하나"] * count,
            "EARN_BLN_YR": ["2025"] * count,
            "EARN_AMT": pa.array(range(count), pa.int64()),
            "ROAD_NM_ADDR": ["서울특별시 종로구 세종대로 209"] * count,
        }
    )


def floor(count: int) -> None:
    text, node = bytes(32 + 160), bytes(65)
    for _ in range(count * HASHES_A_ROW):
        hashlib.sha256(text).digest()
    for _ in range(count):
        hashlib.sha256(node).digest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    count = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "part.parquet"
        pq.write_table(certificates(count), path)
        secrets = {n.to_bytes(8, "big", signed=True): hashlib.sha256(b"%d" % n).digest() for n in range(count)}
        with timed("leaf hashes of a data file", count):
            hashes = rows.leaf_hashes(path, "part.parquet", secrets)
        with timed("the root over them", count):
            merkle.root(hashes)
        with timed("floor: hashlib over as many and as long texts", count):
            floor(count)


if __name__ == "__main__":
    main()
