"""Access records are erased themselves when their legal term is over: `retention.access_records_days` (P9).

In: a run. Out: how many records lost salt and content, in the ledger's database and in their copy `ops/accesses`,
whose old files go. Number, instant and leaf hash stay, so that the log's entry is still accounted for.
"""

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from consent import accesses
from consent.accesses import ACCESSES_SCHEMA
from lake import tables
from pipeline.commit import Change, Current, Plan, commit, purge_tables
from pipeline.ledger_copy import ACCESSES
from pipeline.run import Run

STAYS = ("access_id", "recorded_at", "leaf_hash")


def expire_accesses(run: Run) -> int:
    """How many were emptied in the database now. The copy follows, also what a killed attempt left of it."""
    until = run.at() - timedelta(days=run.settings.retention.access_records_days)
    rows = run.conn.execute(
        "select access_id from accesses where recorded_at <= %s and salt is not null order by 1", [until]
    ).fetchall()
    erased = accesses.erase(run.conn, [row[0] for row in rows]) if rows else 0
    if tables.exists(run.settings.lake_root, ACCESSES) and commit(run, [_plan(until)], {"verb": "erase"}):
        purge_tables(run, [ACCESSES])
    return erased


def _plan(until: datetime) -> Plan:
    def compute(current: Current) -> Change | None:
        held = current.read()
        is_over = pc.and_(pc.less_equal(held.column("recorded_at"), until), pc.is_valid(held.column("salt")))
        if not pc.any(is_over).as_py():
            return None
        columns = [
            held.column(f.name)
            if f.name in STAYS
            else pc.if_else(is_over, pa.scalar(None, f.type), held.column(f.name)).cast(f.type)
            for f in held.schema
        ]
        return Change(pa.table(columns, schema=held.schema), None)

    return Plan(ACCESSES, ACCESSES_SCHEMA, compute, partitioned=False)
