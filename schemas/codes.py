"""Code lists: `codes/<name>.csv` in, entries and the set of valid codes out.

`stdg` (법정동) is the table inside the `addresskr` package, abolished codes included, since an old record keeps the
code of its day. A list's `source` says who defined an entry; `local` marks one that this project made, so that
nobody takes it for an official code. `digest` pins a list (F25): it changes with any byte of its meaning.

Try it: `python -c "from schemas.codes import codes; print(sorted(codes('earn_se')))"`
"""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from schemas.errors import MalformedContract

FOLDER = Path(__file__).parent / "codes"
HEADER = ("code", "name_ko", "name_en", "valid_from", "valid_to", "source")
REGION_LIST = "stdg"
REGION_FILE = "법정동코드 전체자료.txt"


@dataclass(frozen=True)
class Entry:
    """One code. `valid_from` and `valid_to` are days (YYYYMMDD), empty where nobody states one."""

    code: str
    name_ko: str
    name_en: str
    valid_from: str
    valid_to: str
    source: str
    is_abolished: bool = False


@cache
def names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Every list of the project."""
    return tuple(sorted([*(p.stem for p in folder.glob("*.csv")), REGION_LIST]))


@cache
def entries(name: str, folder: Path = FOLDER) -> tuple[Entry, ...]:
    """A list in file order. Raises MalformedContract when it is missing, misshapen or names a code twice."""
    found = tuple(_regions() if name == REGION_LIST else _file(folder / f"{name}.csv"))
    if not found:
        raise MalformedContract(f"Code list {name} is empty. An empty list would let no value pass; fill or remove it.")
    if len({e.code for e in found}) < len(found):
        raise MalformedContract(f"Code list {name} names a code twice. Keep one entry for each code.")
    return found


@cache
def codes(name: str) -> frozenset[str]:
    """Every code of a list, abolished ones included. Raises MalformedContract when there is no such list."""
    return frozenset(e.code for e in entries(name))


@cache
def digest(name: str) -> str:
    """SHA-256 over the entries, independent of the file's quoting and line ends."""
    text = "\n".join("\t".join(map(str, astuple(e))) for e in entries(name))
    return hashlib.sha256(text.encode()).hexdigest()


def _file(path: Path) -> Iterator[Entry]:
    if not path.is_file():
        raise MalformedContract(f"There is no code list {path.stem}. Known: {', '.join(names())}.")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        if tuple(next(rows, ())) != HEADER:
            raise MalformedContract(f"Code list {path.stem} must start with the columns {', '.join(HEADER)}.")
        for number, row in enumerate(rows, 2):
            if len(row) != len(HEADER) or not row[0] or not row[1] or not row[5]:
                raise MalformedContract(f"Code list {path.stem}, line {number}: code, name_ko or source is missing.")
            code, name_ko, name_en, valid_from, valid_to, source = row
            yield Entry(code, name_ko, name_en, valid_from, valid_to, source)


def _regions() -> Iterator[Entry]:
    # The package's own module parses addresses and reads files when imported; only its table is wanted.
    spec = find_spec("addresskr")
    if spec is None or spec.origin is None:
        raise MalformedContract("Code list stdg needs the package addresskr. Install the locked environment.")
    text = (Path(spec.origin).parent / REGION_FILE).read_text(encoding="cp949")
    for line in text.splitlines()[1:]:
        code, name, state = line.split("\t")
        yield Entry(code, name, "", "", "", f"addresskr {REGION_FILE}", is_abolished=state != "존재")
