"""Which state of a record: the one that stands now, or the one that stood at an instant, in the holder's time.

In: rows of bronze or gold, each valid from its own instant up to, not including, that of the next state. Out: the rows
of one moment. Every reader of evidence takes `current_state` but who asks for an earlier moment.
"""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc


def current_state(rows: pa.Table) -> pa.Table:
    """What the records say now, as far as it was pulled."""
    return rows.filter(pc.is_null(rows.column("_valid_to")))


def state_at(rows: pa.Table, instant: datetime) -> pa.Table:
    """What the records said at an instant, as far as states of then are held."""
    at = pa.scalar(instant, pa.timestamp("us", tz="UTC"))
    has_begun = pc.less_equal(rows.column("_observed_at"), at)
    has_not_ended = pc.fill_null(pc.greater(rows.column("_valid_to"), at), True)
    return rows.filter(pc.and_(has_begun, has_not_ended))
