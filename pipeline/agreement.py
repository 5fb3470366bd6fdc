"""What `gold/shadow_agreement` says: shadow mode's counters under official names.

In: a run. Out: the table as it should be; it holds counts and nothing about a person.
"""

import pyarrow as pa
import pyarrow.compute as pc

from consent import shadow
from consent.shadow import Verdict
from pipeline.plan import Change, Compute, Current
from pipeline.run import Run
from pipeline.sharing import whole_if_changed
from schemas.contract import gold

AGREEMENT = "shadow_agreement"
VERDICTS = {
    Verdict.AGREES: "CCRNC_NOCS",
    Verdict.DIFFERS: "NCNSN_NOCS",
    Verdict.ONLY_ON_PAPER: "DATA_ABSN_NOCS",
    Verdict.ONLY_IN_DATA: "DCMNT_ABSN_NOCS",
    Verdict.NOT_COMPARABLE: "VRFC_IMPS_NOCS",
}
NAMES = {
    "service": "SRVC_NO",
    "recipient": "UTZTN_INST_CD",
    "document_type": "RQDOC_CD",
    "column_path": "COL_NM",
    "compared_on": "IDNTY_YMD",
} | {v.value: name for v, name in VERDICTS.items()}


def agreement(run: Run) -> pa.Table:
    held = shadow.counts(run.conn)
    days = pc.strftime(held.column("compared_on"), "%Y%m%d")
    dated = held.set_column(held.schema.get_field_index("compared_on"), "compared_on", days)
    schema = gold(AGREEMENT).gold_schema
    return dated.rename_columns([NAMES[n] for n in dated.column_names]).select(schema.names).cast(schema)


def agreement_compute(run: Run) -> Compute:
    def compute(current: Current) -> Change | None:
        return whole_if_changed(current.read(), agreement(run))

    return compute
