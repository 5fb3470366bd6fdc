"""A rotation in a process of its own, so that a test can kill it.

python -m tests.consent.rotating DSN KEYS NAME SIZE
"""

import sys
from pathlib import Path

import psycopg

from consent import rotation, vault
from tests.consent.making import AT

if __name__ == "__main__":
    dsn, keys, name, size = sys.argv[1:]
    with psycopg.connect(dsn, autocommit=True) as conn:
        rotation.rotate(conn, vault.secrets(Path(keys)), name, AT, int(size))
