"""A holder's folder of deliveries: the newest complete pair of data file and control file.

The control file is JSON: {"file": name, "records": n, "sha256": hex}. A data file whose control file is not there yet
is still arriving and is left alone.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hanbeon.errors import DependencyDown, SourceError
from schemas.contract import Contract

_LONGEST_CONTROL = 65_536


@dataclass(frozen=True)
class Control:
    records: int
    digest: str


def newest_pair(contract: Contract, folder: Path) -> Path:
    """The newest data file whose control file has arrived too. Raises SourceError when there is none."""
    d = contract.delivery
    try:
        found = sorted(p for p in folder.glob(d["filePattern"]) if p.is_file())
    except OSError:
        raise DependencyDown(f"The folder of {contract.holder} cannot be read.") from None
    for path in reversed(found):
        if path.with_suffix(d["controlSuffix"]).is_file():
            return path
    raise SourceError(f"{contract.holder} has delivered no complete pair of {d['filePattern']} and its control file.")


def read_control(contract: Contract, path: Path) -> Control:
    wrong = SourceError(f"{contract.holder}: the control file of {path.name} cannot be used. Nothing of it is pulled.")
    try:
        with path.with_suffix(contract.delivery["controlSuffix"]).open("rb") as file:
            given = json.loads(file.read(_LONGEST_CONTROL))
    except (OSError, ValueError, RecursionError):
        raise wrong from None
    if not isinstance(given, dict) or given.get("file") != path.name or type(given.get("records")) is not int:
        raise wrong
    digest = given.get("sha256")
    if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
        raise wrong
    return Control(given["records"], digest.lower())


@contextmanager
def opened(contract: Contract, path: Path) -> Iterator[BinaryIO]:
    """The data file, which must not change while it is read twice."""
    try:
        file = path.open("rb", buffering=0)
    except OSError:
        raise DependencyDown(f"{path.name} of {contract.holder} cannot be read.") from None
    with file:
        before = os.fstat(file.fileno())
        yield file
        after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise SourceError(f"{contract.holder} changed {path.name} while it was read. Nothing of it is used.")
