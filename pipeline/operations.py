"""What is written about the work itself: `ops/runs` and `ops/verdicts`, append-only, no personal value (P8)."""

from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lake import tables
from pipeline.commit import Change, Current, Plan, commit
from pipeline.run import Run
from pipeline.summary import RUNS_SCHEMA, Summary, runs_table

RUNS = "ops/runs"
VERDICTS = "ops/verdicts"
MOST_FILES = 32


def record(run: Run, summaries: list[Summary], verdicts: pa.Table | None = None) -> None:
    """Append what a verb did, and what the quality gate found, in one pointer move: one row for each execution."""
    plans = [append_plan(RUNS, runs_table(summaries), ("run_id", "verb", "dataset", "started_at"))]
    if verdicts is not None and verdicts.num_rows:
        plans.append(append_plan(VERDICTS, verdicts, ("run_id", "table", "checked_at")))
    commit(run, plans, {})


def append_plan(name: str, rows: pa.Table, key: tuple[str, ...]) -> Plan:
    """Append rows to an unpartitioned table; rows whose key is already there are not written again (P6).

    Each append is a file, and every file is read again by the next; past `MOST_FILES` all become one.
    """

    def compute(current: Current) -> Change | None:
        if not rows.num_rows:
            return None
        held = current.read()
        seen = {tuple(r[k] for k in key) for r in held.select(list(key)).to_pylist()}
        fresh = pa.array([tuple(r[k] for k in key) not in seen for r in rows.select(list(key)).to_pylist()], pa.bool_())
        new = rows.filter(fresh)
        if new.num_rows and len(tables.active_files(current.handle)) >= MOST_FILES:
            return Change(pa.concat_tables([held, new.select(held.schema.names).cast(held.schema)]), None)
        return Change(new, None, is_append=True) if new.num_rows else None

    return Plan(name, rows.schema, compute, partitioned=False)


def runs(run: Run) -> pa.Table:
    return tables.read(run.settings.lake_root, RUNS, schema=RUNS_SCHEMA)


def last_published(run: Run) -> dict[str, Any] | None:
    """The row of the last publication that came to its end with something to publish, or None.

    Its `ledger_position` is the one at which the tables were standardised.
    """
    held = runs(run)
    done = held.filter(pc.and_(pc.equal(held.column("verb"), "publish"), pc.is_valid(held.column("context_digest"))))
    return _newest(done)


def is_unpublished(run: Run) -> bool:
    """Whether tables were standardised since, and no publication of them came to its end: killed, failed, refused."""
    held = runs(run)
    staged = held.filter(
        pc.and_(pc.equal(held.column("verb"), "standardise"), pc.equal(held.column("verdict"), "passed"))
    )
    last_staged, last = _newest(staged), last_published(run)
    return last_staged is not None and (last is None or last_staged["finished_at"] > last["finished_at"])


def last_pulled_at(run: Run, dataset: str) -> datetime | None:
    """When the last complete pull of a dataset began, or None."""
    held = runs(run)
    own = pc.and_(pc.equal(held.column("verb"), "pull"), pc.equal(held.column("dataset"), dataset))
    complete = pc.is_in(held.column("verdict"), value_set=pa.array(["passed", "unchanged"]))
    began: datetime | None = pc.max(held.filter(pc.and_(own, complete)).column("started_at")).as_py()
    return began


def _newest(rows: pa.Table) -> dict[str, Any] | None:
    return rows.sort_by([("finished_at", "descending")]).slice(0, 1).to_pylist()[0] if rows.num_rows else None
