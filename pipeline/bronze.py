"""Merge a delivery into bronze and quarantine: states in the holder's time, unchanged is untouched, uncovered goes.

In: the table's current rows, the delivery's rows and the coverage of now. Out: the table's new rows, in an order that
makes two runs compare equal. Nothing here touches disk; `pipeline.commit` writes what comes out.

A record is (subject, variant, source record), and a row is one state of it: valid from the holder's instant of this
state to that of the next. The same deliveries in any order make the same rows (F24), by three rules:
- a deletion at an instant removes every state up to it, then and later; the newest one stays as a tombstone;
- of two states of one instant the one pulled later stands: the holder corrected it without a new instant;
- where a state says the same again, the row that is held stays as it is (P6). So a holder that corrects a state and
  takes that back, all under one instant, is believed only when it is heard in that order.
"""

from datetime import datetime

import pyarrow as pa

from lake.engine import scratch
from pipeline.coverage import covered_sql, quoted
from pipeline.keying import Hashes, evidence_ids
from pipeline.versions import current_state
from schemas.contract import Contract

REASONS_FIELD = pa.field("_reasons", pa.list_(pa.string()))
RECORD_KEY = ("_subject_key", "_variant", "_source_record_id")
STATE_KEY = (*RECORD_KEY, "_observed_at")
TOMBSTONE_KEEPS = frozenset({*RECORD_KEY, "_key_bucket", "_source_record_hash"})


def quarantine_schema(contract: Contract) -> pa.Schema:
    """Bronze plus the reasons for which a row was not let on; the same consent rules hold there."""
    return contract.bronze_schema.append(REASONS_FIELD)


def merge(contract: Contract, current: pa.Table, incoming: pa.Table, coverage: pa.Table) -> pa.Table:
    """Current rows with the delivery's states merged in, as far as the coverage allows; `_valid_to` is made anew."""
    names = current.schema.names
    content = [c.name for c in contract.content] + [g.name for g in contract.groups] + ["_is_deleted"]
    content += [n for n in names if n == REASONS_FIELD.name]
    columns = ", ".join(quoted(n) for n in names)
    with scratch() as duck:
        duck.register("coverage", coverage)
        for name, rows in (("held", current), ("incoming", incoming)):
            duck.register("rows", rows)
            duck.execute(f"create temp table {name} as {covered_sql(contract, rows.schema)}")
            duck.unregister("rows")
        sql = MERGED.format(
            columns=columns,
            columns_with_ends=columns.replace(quoted("_valid_to"), 'ends_at as "_valid_to"'),
            record=", ".join(RECORD_KEY),
            state=", ".join(STATE_KEY),
            is_same_state=_equal("incoming", "held", STATE_KEY),
            says_the_same=" and ".join(f"incoming.{quoted(c)} is not distinct from held.{quoted(c)}" for c in content),
        )
        return duck.sql(sql).to_arrow_table().cast(current.schema)


MERGED = """
with changed as (
    select incoming.* from incoming
    where not exists (select 1 from held where {is_same_state} and {says_the_same})
),
candidates as (
    select {columns}, 0 as is_incoming from held
    union all
    select {columns}, 1 as is_incoming from changed
),
states as (
    select * from candidates
    qualify row_number() over (
        partition by {state}
        order by _is_deleted desc, _pulled_at desc nulls last, _source_record_hash, is_incoming desc
    ) = 1
),
lasting as (
    select * from states
    qualify _observed_at >= coalesce(
        max(_observed_at) filter (where _is_deleted) over (partition by {record}), _observed_at
    )
),
ended as (
    select *, lead(_observed_at) over (partition by {record} order by _observed_at) as ends_at from lasting
)
select {columns_with_ends} from ended order by _evidence_id
"""


def _equal(one: str, other: str, names: tuple[str, ...]) -> str:
    return " and ".join(f"{one}.{c} = {other}.{c}" for c in names)


def newest(rows: pa.Table) -> pa.Table:
    """One row for each record of a delivery: its newest state by the holder's time, whatever came first (F24)."""
    with scratch() as duck:
        duck.register("rows", rows)
        return (
            duck.sql(
                f"""
                select * from rows
                qualify row_number() over (
                    partition by {", ".join(RECORD_KEY)}
                    order by _observed_at desc, _is_deleted desc, _source_record_hash
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
    has it, with its old instant of change, contradicts it. One that newer states follow is not contradicted.
    """
    record = _equal("held", "delivered", RECORD_KEY)
    with scratch() as duck:
        duck.register("held", held)
        duck.register("delivered", delivered)
        return (
            duck.sql(
                f"""
                select * from held
                where not _is_deleted
                    or _valid_to is not null
                    or not exists (select 1 from delivered where not delivered._is_deleted and {record})
                """
            )
            .to_arrow_table()
            .cast(held.schema)
        )


def tombstones(
    contract: Contract,
    current: pa.Table,
    delivered: pa.Table,
    asked: pa.Table,
    seen_at: datetime,
    run_id: str,
    hashes: Hashes,
) -> pa.Table:
    """Rows that say "the holder no longer has this", for a complete delivery that lacks what was asked.

    Only for contracts with `deletes: absence`. `delivered` needs RECORD_KEY, `asked` a `_subject_key`.
    """
    record = _equal("current_rows", "delivered", RECORD_KEY)
    with scratch() as duck:
        duck.register("current_rows", current)
        duck.register("delivered", delivered)
        duck.register("asked", asked)
        gone = (
            duck.sql(
                f"""
                select * from current_rows
                where not _is_deleted
                    and _valid_to is null
                    and _subject_key in (select _subject_key from asked)
                    and not exists (select 1 from delivered where {record})
                """
            )
            .to_arrow_table()
            .cast(current.schema)
        )
    rows = pa.table([_tombstone_column(f, gone, seen_at, run_id) for f in current.schema], schema=current.schema)
    place = rows.schema.get_field_index("_evidence_id")
    return rows.set_column(place, rows.schema.field(place), evidence_ids(contract, rows, hashes))


def _tombstone_column(field: pa.Field, gone: pa.Table, seen_at: datetime, run_id: str) -> pa.Array | pa.ChunkedArray:
    values = {"_is_deleted": True, "_observed_at": seen_at, "_pulled_at": seen_at, "_run_id": run_id}
    if field.name in values:
        return pa.array([values[field.name]] * gone.num_rows, field.type)
    return gone.column(field.name) if field.name in TOMBSTONE_KEEPS else pa.nulls(gone.num_rows, field.type)


def quarantined(
    contract: Contract, current: pa.Table, failing: pa.Table, good: pa.Table, coverage: pa.Table
) -> pa.Table:
    """The quarantine after a delivery: failing records in, records that are good now out, uncovered ones gone.

    Of a record only the newest state that failed waits here: a state that does not fit its contract is no evidence.
    """
    record = _equal("good", "current_rows", RECORD_KEY)
    with scratch() as duck:
        duck.register("current_rows", current)
        duck.register("good", good.select(list(RECORD_KEY)))
        still_bad = (
            duck.sql(f"select * from current_rows where not exists (select 1 from good where {record})")
            .to_arrow_table()
            .cast(current.schema)
        )
    return current_state(merge(contract, still_bad, failing, coverage))
