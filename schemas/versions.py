"""Two major versions of a published document side by side: what must hold of them, and when the former one ends.

In: contracts. Out: findings, sentences about ends, nothing kept. A former version is a published contract whose status
is `deprecated` and whose `endOfLife` is its last day in Seoul, as the Open Data Contract Standard names both. Its table
has the older name (`schemas.table_name`), so nobody's table changes under them.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from hanbeon.clock import seoul_date
from schemas.column import Column
from schemas.contract import END_OF_LIFE, Contract

WARNED_BEFORE = timedelta(days=30)
SAY_WHEN = (
    f"status deprecated and, among slaProperties, {END_OF_LIFE}: the last day (YYYY-MM-DD) on which it is published"
)


def findings_of_source(contract: Contract, tables: Sequence[Contract]) -> Iterator[str]:
    """Consent must know every column by one path of its own group, the same that the published column says."""
    published = {t.name: {c.name: c for c in t.columns} for t in tables if t.kind == "published"}
    seen: set[str] = set()
    for group, columns in ((None, contract.content), *((g.name, g.content) for g in contract.groups)):
        table = published.get(f"{contract.published}__{group}" if group else contract.published, {})
        for column in columns:
            paths = column.paths(group)
            if len(paths) != 1 or _group(paths[0]) != group:
                yield f"{column.name} must be consented as one column of {group or 'the document'} (consentedAs)."
            if seen.intersection(paths):
                yield f"{column.name} is consented as {', '.join(paths)}, and so is another column."
            seen.update(paths)
            shown = table.get(column.publishes or "")
            if shown is not None and shown.paths(group) != paths:
                said = " and ".join(shown.paths(group))
                yield f"{column.name} is consented as {' and '.join(paths)}, but {shown.name} as {said} (consentedAs)."


def findings_of_published(contract: Contract, source: Contract, tables: Sequence[Contract]) -> Iterator[str]:
    """What a published table of a document must say as the newest version, or as a former one."""
    table, newest = contract.table, source.table
    if str(table) != contract.name or contract.version.partition(".")[0] != str(table.major):
        yield f"is version {contract.version}; a major version has one name for good: {_named(contract)}."
    if table.major < newest.major and not (contract.is_former and contract.published_until):
        yield f"stands beside {newest}: it must say {SAY_WHEN}."
    if table.major >= newest.major and (contract.is_former or contract.end_of_life):
        yield "is deprecated or has an end of life, but no newer version of it is published."
    if contract.group and contract.is_former:
        document = next((t for t in tables if t.name == contract.name.removesuffix(f"__{contract.group}")), None)
        if document is None or document.end_of_life != contract.end_of_life:
            yield "must end on the day on which its document ends."
    yield from (f"{c.name} {finding}" for c in contract.columns for finding in _unknown(contract, c, source))


def _unknown(contract: Contract, column: Column, source: Contract) -> Iterator[str]:
    unknown = [path for path in column.paths(contract.group) if path not in source.column_paths]
    if unknown:
        said = f"is covered by consent to {', '.join(unknown)}, which no column of {source.id} is"
        yield f"{said}; say in consentedAs of which columns it is made."


def _named(contract: Contract) -> str:
    major = contract.version.partition(".")[0]
    document = contract.table.document
    table = document if major == "1" else f"{document}_v{major}"
    return f"{table}__{contract.group}" if contract.group else table


def _group(path: str) -> str | None:
    return path.rpartition(".")[0] or None


def replaces(contract: Contract, source: Contract) -> bool:
    """Whether this table is a former version of what the source makes today: of its document or of a group that was."""
    table, newest = contract.table, source.table
    return table.document == newest.document and table.major < newest.major


def ends(contracts: Sequence[Contract], at: datetime) -> list[str]:
    """A sentence about each former version that ends within 30 days, or that is over and may be removed."""
    said, today = [], seoul_date(at)
    for contract in (c for c in contracts if c.is_former and (c.published_until is not None)):
        until = contract.published_until
        assert until is not None
        if contract.is_over(at):
            said.append(
                f"{contract.name} is over since {until + timedelta(days=1)}: the next publication empties its tables. "
                "When they are empty, its contract and its model may be removed."
            )
        elif until - today <= WARNED_BEFORE:
            said.append(
                f"{contract.name} is published until {until}, {(until - today).days} days more: "
                "who still reads it must move to the newer version by then."
            )
    return said
