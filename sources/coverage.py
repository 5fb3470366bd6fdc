"""Which of the holder's columns a request covers: official paths in, the holder's own names out.

An uncovered column is NULL, a group without a covered column is NULL, and a line's number and identifier come along
only when at least one column of the line's group is covered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from hanbeon.errors import UsageError
from schemas.column import Group
from schemas.contract import Contract
from schemas.request import REQUEST_SCHEMA, RequestSet


@dataclass(frozen=True, eq=False)
class Covered:
    """One column set in the holder's names: own columns, and columns of each group that has any covered."""

    own: frozenset[str]
    groups: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Asked:
    """One row of the request set, ready to be matched with what the holder sends. Memory only."""

    identifier: str
    subject_key: int
    variant: str
    covered: Covered
    since: datetime | None


def covered(contract: Contract, paths: frozenset[str]) -> Covered:
    """Raises UsageError naming a path that the contract does not have."""
    unknown = paths - set(contract.column_paths)
    if unknown:
        raise UsageError(f"A request names {', '.join(sorted(unknown))}, which contract {contract.id} does not have.")
    groups = {
        g.name: frozenset(c.name for c in g.content if paths.issuperset(c.paths(g.name))) for g in contract.groups
    }
    return Covered(
        own=frozenset(c.name for c in contract.content if paths.issuperset(c.paths(None))),
        groups={name: columns for name, columns in groups.items() if columns},
    )


def check(contract: Contract, request: RequestSet) -> tuple[Covered, ...]:
    """The request's column sets in the holder's names. Raises UsageError when the request is not for this dataset."""
    if request.dataset != contract.dataset:
        raise UsageError(f"A request for {request.dataset} was given to the connector of {contract.dataset}.")
    if not request.table.schema.equals(REQUEST_SCHEMA):
        raise UsageError(f"The request for {request.dataset} does not have the columns of a request set.")
    unknown = set(request.table["variant"].unique().to_pylist()) - set(contract.variants)
    if unknown:
        raise UsageError(f"A request for {request.dataset} names a variant that its contract does not have.")
    pairs = request.table.select(["identifier", "variant"])
    if pairs.group_by(["identifier", "variant"]).aggregate([]).num_rows != pairs.num_rows:
        raise UsageError(f"A request for {request.dataset} names one subject twice in one variant. Join its columns.")
    return tuple(covered(contract, paths) for paths in request.column_sets)


def asked(rows: pa.Table, sets: tuple[Covered, ...], since: datetime | None) -> list[Asked]:
    """Rows of the request set as Python values; `since` holds for those that are not new."""
    return [
        Asked(r["identifier"], r["_subject_key"], r["variant"], sets[r["column_set"]], None if r["is_new"] else since)
        for r in rows.to_pylist()
    ]


def keys_named_twice(request: RequestSet) -> frozenset[int]:
    """Subject keys with several rows: one person under several identifiers may be sent the same record twice."""
    counts = request.table.group_by("_subject_key").aggregate([([], "count_all")])
    return frozenset(counts.filter(pc.greater(counts["count_all"], 1))["_subject_key"].to_pylist())


def subject_only(group: Group, variant: str) -> bool:
    """Whether this variant of the document shows no other person's line in the group."""
    return variant in group.delivery.get("subjectOnlyVariants", ())
