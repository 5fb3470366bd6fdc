"""By when what was erased must be gone everywhere: `retention.erase_within_days` after the erasure began (P4).

In: a run. Out: whether the slow part (the database's dead rows, the scan of the whole home) is due now, a day before
the deadline, and whether the deadline has passed.
"""

from datetime import timedelta

from consent import erasures
from pipeline.run import Run


def is_due(run: Run) -> bool:
    """Whether an erasure that was quick must be made thorough now: the next nightly one could be too late."""
    return _has_waited(run, run.settings.retention.erase_within_days - 1)


def is_overdue(run: Run) -> bool:
    return _has_waited(run, run.settings.retention.erase_within_days)


def _has_waited(run: Run, days: int) -> bool:
    since = erasures.oldest_unended(run.conn)
    return since is not None and since + timedelta(days=max(days, 0)) <= run.at()
