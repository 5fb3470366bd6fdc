"""The values by which an erased person could be found again, taken just before they go (P4).

In: a run whose newest versions are without the person, while the old files are still there. Out: identifiers out of
the vault, names, addresses and issue numbers of what went. A value that a row which stays says too is left out and
counted, and so is one so short that files hold it by chance.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from consent import vault
from consent.erasures import Values
from lake import layout
from lake.contents import contents
from lake.needles import Needles, forms
from pipeline.forgetting import forgettable, values_in
from pipeline.leavings import live_files, personal_tables
from pipeline.run import Run
from pipeline.sharing import documents
from schemas.column import Column
from schemas.contract import Contract, sources

IDENTIFIER = "identifier"
SHORTEST, SHORTEST_ASCII = 6, 10  # bytes of the shortest written form; digits and Latin letters are commoner
NUMBERS = "번호"  # domain of issue and membership numbers


@dataclass
class _Taken:
    """Values by the official name of their column: of rows that went, of all old files, of the newest versions."""

    gone: dict[str, set[str]] = field(default_factory=dict)
    old: dict[str, set[str]] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)


def take(run: Run, evidence_ids: Collection[str]) -> Values:
    """What must be nowhere in the home once everything is erased. `evidence_ids` are those of the rows that went."""
    taken = _Taken()
    ids = pa.array(sorted(evidence_ids), pa.string())
    for name in personal_tables(run):
        named = _named(name)
        live = set(live_files(run, name))
        taken.files += sorted(live)
        for path in sorted(layout.table_path(run.settings.lake_root, name).rglob("*.parquet")) if named else ():
            _take(path, named, ids, None if path in live else taken, taken.live)
    found = {name: values - taken.live for name, values in taken.old.items()}
    long = {name: {value for value in values if _is_telling(value)} for name, values in found.items()}
    held = _held(taken.files, set().union(*long.values()))
    by_class = {name: tuple(sorted(values - held)) for name, values in sorted(long.items())}
    by_class[IDENTIFIER] = tuple(sorted(vault.every_identifier(run.conn, run.secrets, forgettable(run))))
    gone = set().union(*taken.gone.values())
    return Values(
        tuple((name, values) for name, values in by_class.items() if values),
        shared=len(gone & (taken.live | held)),
        short=sum(len(found[name]) - len(long[name]) for name in found),
    )


def _take(path: Path, named: Mapping[str, str], ids: pa.Array, old: _Taken | None, live: set[str]) -> None:
    with pq.ParquetFile(path) as file:
        paths = [file.schema.column(i).path for i in range(len(file.schema))]
        for leaf in (p for p in paths if p.rpartition(".")[2] in named):
            table = file.read(columns=[leaf, "_evidence_id"])
            column = table.column(next(n for n in table.column_names if n != "_evidence_id"))
            if old is None:
                live.update(_texts(column))
                continue
            official = named[leaf.rpartition(".")[2]]
            old.old.setdefault(official, set()).update(_texts(column))
            is_gone = pc.is_in(table.column("_evidence_id"), value_set=ids)
            old.gone.setdefault(official, set()).update(_texts(column.filter(is_gone)))


def _texts(column: pa.ChunkedArray) -> Iterator[str]:
    for chunk in column.chunks:
        yield from (str(value) for value in values_in(chunk) if value)


def _named(table: str) -> dict[str, str]:
    """The identifying columns of a table by their name there, with their official name."""
    room, _, rest = table.partition("/")
    if room in ("bronze", "quarantine"):
        known = [c for c in sources() if c.dataset == rest]
    else:
        known = [c for c in documents() if c.name == rest.rpartition("/")[2]]
    return {c.name: c.publishes or c.name for one in known for c in _columns(one) if _is_identifying(c)}


def _columns(contract: Contract) -> Iterable[Column]:
    yield from contract.content
    for group in contract.groups:
        yield from group.content


def _is_identifying(column: Column) -> bool:
    if column.logical_type != "string" or column.is_identifier or column.code_list is not None:
        return False
    return column.classification == "direct" or (column.domain or "").startswith(NUMBERS)


def _is_telling(value: str) -> bool:
    return min(map(len, forms(value))) >= (SHORTEST_ASCII if value.isascii() else SHORTEST)


def _held(files: list[Path], values: set[str]) -> set[str]:
    """Those of the values that a file of a newest version says, be it as a part of another."""
    given = sorted(values)
    sought = Needles(given)
    found: set[str] = set()
    for path in files if sought else ():
        for chunk, overlap in contents(path, sought.longest - 1):
            found |= {given[number] for number in sought.count(chunk, overlap)}
    return found
