"""What there is to satisfy requirements with: evidence in gold, and what holders were asked for and did not give.

In: a run, and the moment that is asked about. Out: Arrow tables without any content of a document but its last day.
"""

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from consent.journal import pull_state
from hanbeon.clock import seoul_date
from lake import tables
from pipeline.run import Run
from pipeline.versions import current_state, state_at
from schemas.contract import PIPELINE_FIELDS, Contract, gold, sources
from schemas.documents import document_type

ISSUED_ON, LAST_DAY = "ISSU_YMD", "VLD_PRD_EXPRY_YMD"
IDENTITY = ("_subject_key", "_variant", "_evidence_id", "_observed_at")
DAY = "%Y%m%d"
EVIDENCE_SCHEMA = pa.schema(
    [
        pa.field("document_type", pa.string()),
        *(f for f in PIPELINE_FIELDS if f.name in IDENTITY),
        pa.field("fresh_until", pa.string()),  # YYYYMMDD, the last day; NULL: no term is known
    ]
)
ASKED_SCHEMA = pa.schema(
    [
        pa.field("document_type", pa.string()),
        pa.field("_subject_key", pa.int64()),
        pa.field("is_quarantined", pa.bool_()),
    ]
)


def evidence(run: Run, needed: pa.Table, as_of: datetime | None = None) -> pa.Table:
    """The evidence that gold holds of the documents that `needed` (bundles.requirements) names: its present state, or
    what stood at an instant in the holders' time."""
    wanted = frozenset(needed.column("document_type").to_pylist())
    parts = [_of(run, c, as_of) for c in sources() if c.document_type in wanted]
    return pa.concat_tables([EVIDENCE_SCHEMA.empty_table(), *parts])


def _of(run: Run, contract: Contract, as_of: datetime | None = None) -> pa.Table:
    table = gold(contract.published)
    dated = {n for n in (ISSUED_ON, LAST_DAY) if n in table.gold_schema.names}
    schema = pa.schema([f for f in table.gold_schema if f.name in {*IDENTITY, "_valid_to", *dated}])
    held = tables.read(run.settings.lake_root, f"gold/{table.name}", schema=schema)
    rows = current_state(held) if as_of is None else state_at(held, as_of)
    until = fresh_until(rows, document_type(contract.document_type).validity_days)
    types = pa.array([contract.document_type] * rows.num_rows, pa.string())
    own = rows.select(list(IDENTITY)).add_column(0, "document_type", types).append_column("fresh_until", until)
    return own.select(EVIDENCE_SCHEMA.names).cast(EVIDENCE_SCHEMA)


def fresh_until(rows: pa.Table, validity_days: int | None) -> pa.Array:
    """The last day (YYYYMMDD) on which each row may stand for the paper; NULL where neither says one.

    The statute's term counts from the day of issue; the document's own last day is the earlier where it says one.
    """
    days = [pa.nulls(rows.num_rows, pa.string())]
    if LAST_DAY in rows.column_names:
        days.append(rows.column(LAST_DAY).combine_chunks())
    if validity_days is not None and ISSUED_ON in rows.column_names:
        issued = pc.strptime(rows.column(ISSUED_ON).combine_chunks(), DAY, "s", error_is_null=True)
        days.append(pc.strftime(pc.add(issued, pa.scalar(timedelta(days=validity_days), pa.duration("s"))), DAY))
    return pc.min_element_wise(*days, skip_nulls=True)


def stale(run: Run, contract: Contract) -> pa.Array:
    """The subjects of whose document gold holds nothing that may still stand for the paper; none where no term ends."""
    days = document_type(contract.document_type).validity_days
    if days is None and LAST_DAY not in gold(contract.published).gold_schema.names:
        return pa.array([], pa.int64())
    held = _of(run, contract)
    over = pc.fill_null(pc.less(held.column("fresh_until"), f"{seoul_date(run.at()):%Y%m%d}"), False)
    standing = held.filter(pc.invert(over)).column("_subject_key").combine_chunks()
    ended = pc.unique(held.filter(over).column("_subject_key").combine_chunks())
    return ended.filter(pc.invert(pc.is_in(ended, value_set=standing)))


def asked(run: Run, needed: pa.Table) -> pa.Table:
    """(document type, subject) of open requirements that the last complete pull asked the holder for."""
    may_flow = needed.filter(needed.column("has_authorisation"))
    wanted = frozenset(may_flow.column("document_type").to_pylist())
    subjects = pc.unique(may_flow.column("_subject_key").combine_chunks())
    parts = [_asked_of(run, c, subjects) for c in sources() if c.document_type in wanted]
    return pa.concat_tables([ASKED_SCHEMA.empty_table(), *parts])


def _asked_of(run: Run, contract: Contract, subjects: pa.Array) -> pa.Table:
    state = pull_state(run.conn, contract.dataset)
    if state is None:
        return ASKED_SCHEMA.empty_table()
    keys = pc.unique(state.coverage.column("_subject_key").combine_chunks())
    keys = keys.filter(pc.is_in(keys, value_set=subjects)).sort()
    key_only = pa.schema([contract.bronze_schema.field("_subject_key")])
    kept = tables.read(run.settings.lake_root, f"quarantine/{contract.dataset}", schema=key_only)
    is_quarantined = pc.is_in(keys, value_set=kept.column("_subject_key").combine_chunks())
    types = pa.array([contract.document_type] * len(keys), pa.string())
    return pa.table([types, keys, is_quarantined], schema=ASKED_SCHEMA)
