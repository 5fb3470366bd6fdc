"""Records of records are erased themselves when their terms are over: access records (P9), the ledger's payloads (P4).

In: a run; `retention.access_records_days`, and `retention.ledger_days` after what an event is about ended. Out: how
many lost salt and content, in the ledger's database and in the copies `ops/accesses` and `ledger/events`, whose old
files go. Number, instant, kind and leaf hash stay, so that the log's entry is still accounted for.
"""

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from consent import accesses, ended
from consent.accesses import ACCESSES_SCHEMA
from consent.snapshot import EVENTS_SCHEMA
from lake import tables
from pipeline.commit import Change, Current, Plan, commit, purge_tables
from pipeline.ledger_copy import ACCESSES, EVENTS, copy_ledger
from pipeline.run import Run

STAYS = ("access_id", "recorded_at", "leaf_hash")
ERASED_OF_EVENTS = ("salt", "payload")
COPIES = ("ledger/authorisations", "ledger/applications")  # follow the present state; their old files go too


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


def end_ledger_terms(run: Run) -> int:
    """How many events lost their payload in the database now. The copies follow, also what a killed attempt left."""
    until = run.at() - timedelta(days=run.settings.retention.ledger_days)
    erased = ended.end_terms(run.conn, until, run.at())
    if erased:
        copy_ledger(run)
    if tables.exists(run.settings.lake_root, EVENTS) and commit(run, [_events_plan(run)], {"verb": "erase"}):
        purge_tables(run, [EVENTS, *COPIES])
    return erased


def _events_plan(run: Run) -> Plan:
    def compute(current: Current) -> Change | None:
        held = current.read()
        gone = pa.array(ended.emptied(run.conn), pa.int64())
        is_over = pc.and_(pc.is_in(held.column("position"), value_set=gone), pc.is_valid(held.column("salt")))
        if not pc.any(is_over).as_py():
            return None
        columns = [
            pc.if_else(is_over, pa.scalar(None, f.type), held.column(f.name)).cast(f.type)
            if f.name in ERASED_OF_EVENTS
            else held.column(f.name)
            for f in held.schema
        ]
        return Change(pa.table(columns, schema=held.schema), None)

    return Plan(EVENTS, EVENTS_SCHEMA, compute, partitioned=False)
