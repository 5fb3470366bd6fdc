"""Who may be asked about, and for what: the gate's rows of one document type become a request set.

What must be pulled is (changed since the watermark AND authorised) OR (newly authorised since the last complete
pull). Newly authorised means: a subject, variant or column that the last complete pull did not ask for, or that an
authorisation or approval covers only since a later ledger event: in between, its rows may have been erased (F40). A
subject of whose document a disclosure block had kept lines out is asked about anew when the block is lifted, and one
for whom somebody may act anew; and one of whom nothing is held that may still stand for the paper.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from consent.snapshot import Snapshot
from lake.engine import scratch
from schemas.contract import Contract
from schemas.request import REQUEST_SCHEMA, RequestSet


@dataclass(frozen=True)
class Demand:
    """`coverage` as of the gate that was asked (COVERAGE_SCHEMA); `request` for the connector."""

    coverage: pa.Table
    request: RequestSet


@dataclass(frozen=True)
class Former:
    """The last complete pull: its watermark, what it asked for, and what of that no ledger event touched since."""

    watermark: str | None
    asked: pa.Table
    steady: pa.Table


def steady(
    allowed: pa.Table, snapshot: Snapshot, document_type: str, position: int, since: datetime | None
) -> pa.Table:
    """The gate's rows that rest on authorisations and approvals unmoved since the last complete pull.

    Moved: a ledger event after its `position`, or an interval that began after its instant `since` without any event.
    """
    with scratch() as duck:
        duck.execute("set timezone = 'UTC'")
        for name, table in {
            "allowed": allowed,
            "authorisations": snapshot.authorisations,
            "approvals": snapshot.approvals,
            "representations": snapshot.representations,
        }.items():
            duck.register(name, table)
        return duck.execute(
            """
            select * from allowed
            where
                authorisation_id not in (
                    select authorisation_id from authorisations
                    where ledger_position > $position or valid_from > $since
                )
                and _subject_key not in (
                    select represented_key from representations
                    where ledger_position > $position or valid_from > $since
                )
                and not exists (
                    select 1 from approvals
                    where document_type = $document_type and (ledger_position > $position or valid_from > $since)
                )
            """,
            {"document_type": document_type, "position": position, "since": since or datetime.min.replace(tzinfo=UTC)},
        ).to_arrow_table()


COLUMN_SETS = """
create temp table column_sets as
select columns, cast(row_number() over (order by columns) - 1 as integer) as column_set
from (select distinct columns from coverage)
"""
REQUESTED = """
select
    identifiers.identifier,
    coverage._subject_key,
    coverage._variant as variant,
    column_sets.column_set,
    not coalesce(
        list_has_all(asked_before.columns, coverage.columns)
        and list_has_all(coalesce(coverage.blocked, []), coalesce(asked_before.blocked, []))
        and list_has_all(steady.columns, coverage.columns),
        false
    ) as is_new,
from coverage
inner join identifiers using (_subject_key)
inner join column_sets using (columns)
left join asked_before
    on coverage._subject_key = asked_before._subject_key
    and coverage._variant = asked_before._variant
left join steady
    on coverage._subject_key = steady._subject_key and coverage._variant = steady._variant
order by coverage._subject_key, variant
"""


def demand(contract: Contract, coverage: pa.Table, identifiers: pa.Table, former: Former) -> Demand:
    """Join coverage with identifiers (`_subject_key`, `identifier`) and mark what is new.

    A subject whose identifier the vault no longer knows (its key was destroyed) is not asked about.
    """
    with scratch() as duck:
        duck.register("coverage", coverage)
        duck.register("identifiers", identifiers)
        duck.register("asked_before", former.asked)
        duck.register("steady", former.steady)
        duck.execute(COLUMN_SETS)
        table = duck.sql(REQUESTED).to_arrow_table().cast(REQUEST_SCHEMA)
        sets = duck.sql("select columns from column_sets order by column_set").fetchall()
    column_sets = tuple(frozenset(columns) for (columns,) in sets)
    return Demand(coverage, RequestSet(contract.dataset, table, column_sets, former.watermark))
