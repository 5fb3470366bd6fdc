"""Merge a delivery into bronze and quarantine: newest by holder's time wins, unchanged is untouched, uncovered goes.

In: the table's current rows, the delivery's rows and the coverage of now. Out: the table's new rows, in an order that
makes two runs compare equal. Nothing here touches disk; `pipeline.commit` writes what comes out.
"""

from datetime import datetime

import pyarrow as pa

from lake.engine import scratch
from pipeline.coverage import covered_sql, quoted
from schemas.contract import Contract

REASONS_FIELD = pa.field("_reasons", pa.list_(pa.string()))
RECORD_KEY = ("_subject_key", "_variant", "_source_record_id")
TOMBSTONE_KEEPS = frozenset({*RECORD_KEY, "_key_bucket", "_evidence_id", "_source_record_hash"})


def quarantine_schema(contract: Contract) -> pa.Schema:
    """Bronze plus the reasons for which a row was not let on; the same consent rules hold there."""
    return contract.bronze_schema.append(REASONS_FIELD)


def merge(contract: Contract, current: pa.Table, incoming: pa.Table, coverage: pa.Table) -> pa.Table:
    """Current rows with the delivery merged in, as far as the coverage allows.

    A record is (subject, variant, source record). The newest `_observed_at` wins, the delivery at a tie; a record
    that says the same as before keeps its row, run id included, so that a replay changes nothing (F24, P6).
    """
    names = current.schema.names
    content = [c.name for c in contract.content] + [g.name for g in contract.groups] + ["_is_deleted", "_observed_at"]
    content += [n for n in names if n == REASONS_FIELD.name]
    is_same = " and ".join(f"incoming.{quoted(c)} is not distinct from held.{quoted(c)}" for c in content)
    record = " and ".join(f"incoming.{c} = held.{c}" for c in RECORD_KEY)
    columns = ", ".join(quoted(n) for n in names)
    with scratch() as duck:
        duck.register("coverage", coverage)
        for name, rows in (("held", current), ("incoming", incoming)):
            duck.register("rows", rows)
            duck.execute(f"create temp table {name} as {covered_sql(contract, rows.schema)}")
            duck.unregister("rows")
        return (
            duck.sql(
                f"""
                with changed as (
                    select incoming.* from incoming
                    where not exists (select 1 from held where {record} and {is_same})
                ),
                candidates as (
                    select {columns}, 0 as is_incoming from held
                    union all
                    select {columns}, 1 as is_incoming from changed
                ),
                ranked as (
                    select
                        *,
                        row_number() over (
                            partition by {", ".join(RECORD_KEY)}
                            order by _observed_at desc, is_incoming desc, _source_record_hash
                        ) as recency
                    from candidates
                )
                select {columns} from ranked where recency = 1 order by _evidence_id
                """
            )
            .to_arrow_table()
            .cast(current.schema)
        )


def newest(rows: pa.Table) -> pa.Table:
    """One row for each record of a delivery: the newest by the holder's time, whatever the order of arrival (F24)."""
    with scratch() as duck:
        duck.register("rows", rows)
        return (
            duck.sql(
                f"""
                select * from rows
                qualify row_number() over (
                    partition by {", ".join(RECORD_KEY)} order by _observed_at desc, _source_record_hash
                ) = 1
                order by _evidence_id
                """
            )
            .to_arrow_table()
            .cast(rows.schema)
        )


def revived(held: pa.Table, delivered: pa.Table) -> pa.Table:
    """What is held, without tombstones of records that a complete delivery shows alive.

    Only for contracts with `deletes: absence`: their tombstone says that a file lacked the record, so a later file that
    has it, with its old instant of change, contradicts it.
    """
    record = " and ".join(f"held.{c} = delivered.{c}" for c in RECORD_KEY)
    with scratch() as duck:
        duck.register("held", held)
        duck.register("delivered", delivered)
        return (
            duck.sql(
                f"""
                select * from held
                where not _is_deleted
                    or not exists (select 1 from delivered where not delivered._is_deleted and {record})
                """
            )
            .to_arrow_table()
            .cast(held.schema)
        )


def tombstones(current: pa.Table, delivered: pa.Table, asked: pa.Table, seen_at: datetime, run_id: str) -> pa.Table:
    """Rows that say "the holder no longer has this", for a complete delivery that lacks what was asked.

    Only for contracts with `deletes: absence`. `delivered` needs RECORD_KEY, `asked` a `_subject_key`.
    """
    record = " and ".join(f"current_rows.{c} = delivered.{c}" for c in RECORD_KEY)
    with scratch() as duck:
        duck.register("current_rows", current)
        duck.register("delivered", delivered)
        duck.register("asked", asked)
        gone = (
            duck.sql(
                f"""
                select * from current_rows
                where not _is_deleted
                    and _subject_key in (select _subject_key from asked)
                    and not exists (select 1 from delivered where {record})
                """
            )
            .to_arrow_table()
            .cast(current.schema)
        )
    return pa.table([_tombstone_column(f, gone, seen_at, run_id) for f in current.schema], schema=current.schema)


def _tombstone_column(field: pa.Field, gone: pa.Table, seen_at: datetime, run_id: str) -> pa.Array | pa.ChunkedArray:
    values = {"_is_deleted": True, "_observed_at": seen_at, "_pulled_at": seen_at, "_run_id": run_id}
    if field.name in values:
        return pa.array([values[field.name]] * gone.num_rows, field.type)
    return gone.column(field.name) if field.name in TOMBSTONE_KEEPS else pa.nulls(gone.num_rows, field.type)


def quarantined(
    contract: Contract, current: pa.Table, failing: pa.Table, good: pa.Table, coverage: pa.Table
) -> pa.Table:
    """The quarantine after a delivery: failing records in, records that are good now out, uncovered ones gone."""
    record = " and ".join(f"good.{c} = current_rows.{c}" for c in RECORD_KEY)
    with scratch() as duck:
        duck.register("current_rows", current)
        duck.register("good", good.select(list(RECORD_KEY)))
        still_bad = (
            duck.sql(f"select * from current_rows where not exists (select 1 from good where {record})")
            .to_arrow_table()
            .cast(current.schema)
        )
    return merge(contract, still_bad, failing, coverage)
