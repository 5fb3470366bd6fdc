"""What a connector gives back: a `Delivery` to read once, and the report of it.

    delivery = connect(contract, request, endpoints, settings)
    for batch in delivery.batches(): ...       # delivered_schema, only requested subjects and columns
    delivery.report                            # complete, with a watermark, only when all of it was read

A delivery that fails or is abandoned half-way reports `is_complete=False` and no watermark (F20). Whatever goes wrong
inside a connector leaves as one of `hanbeon.errors`, without the value that caused it (P8).

**Watermark.** The largest changed-at that the holder showed in this complete delivery, or the former one when nothing
newer came. The next delivery asks from `dataset_seconds` before it (`ask_since`), inclusive: no delivery takes longer
than that, so a record changed while the pages were read, one of the same instant, or one whose transaction committed
late, is asked for again. Idempotent merging absorbs what repeats.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from hanbeon.clock import parse_instant
from hanbeon.errors import HanbeonError, SourceError, UsageError
from hanbeon.settings import SourceSettings
from schemas.contract import Contract
from schemas.request import RequestSet
from sources.coverage import Asked
from sources.signed import Statement

Batches = Generator[pa.RecordBatch, None, None]

BATCH_ROWS = 2_000
FEW_UNREADABLE = (
    5  # this many subjects, or this share of them, may be unreadable before it is the holder that is broken
)
UNREADABLE_SHARE = 0.01

# Why something that the holder sent was dropped (F21).
NOT_REQUESTED = "not_requested"  # a subject that nobody authorised
COLUMN_NOT_REQUESTED = "column_not_requested"  # a value of a column that the request does not cover
UNKNOWN_KIND = "unknown_kind"  # a line or element kind that the contract does not know
SUPERSEDED = "superseded"  # an older version of a record that came with a newer one (F24)


@dataclass(frozen=True)
class DeliveryReport:
    """Counts of one delivery. `withheld_subjects` (memory only) had a record withheld: its absence is no deletion."""

    asked: int
    received: int
    kept: int
    dropped: Mapping[str, int]
    withheld: Mapping[str, int]
    watermark: str | None
    signed_count: int | None
    is_complete: bool
    withheld_subjects: frozenset[int] = field(default=frozenset(), repr=False)
    statements: tuple[Statement, ...] = ()


@dataclass
class Tally:
    """The running counts of a delivery; connectors add to it."""

    asked: int
    received: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    withheld: Counter[str] = field(default_factory=Counter)
    withheld_subjects: set[int] = field(default_factory=set, repr=False)
    unreadable: int = 0  # subjects in a row
    newest: datetime | None = None
    signed_count: int | None = None
    statements: list[Statement] = field(default_factory=list, repr=False)  # what the holder signed, in order

    def saw(self, changed_at: datetime) -> None:
        if self.newest is None or changed_at > self.newest:
            self.newest = changed_at

    def withhold(self, reason: str, subject_key: int | None) -> None:
        self.withheld[reason] += 1
        if subject_key is not None:
            self.withheld_subjects.add(subject_key)

    def drop(self, reason: str, count: int) -> None:
        if count:
            self.dropped[reason] += count


def give_up(contract: Contract, tally: Tally, subject: Asked, reason: str) -> None:
    """Withhold the one subject that an unreadable answer was narrowed down to. SourceError after a few in a row."""
    tally.unreadable += 1
    if tally.unreadable > FEW_UNREADABLE:
        raise SourceError(
            f"{contract.holder} sends answer after answer that cannot be read ({reason}). "
            f"{contract.dataset} is not pulled; the watermark stays."
        )
    tally.withhold(reason, subject.subject_key)


class Delivery:
    """One delivery under way. `batches` can be read once."""

    def __init__(self, holder: str, tally: Tally, watermark: str | None, batches: Batches) -> None:
        self._holder, self._tally, self._former, self._batches = holder, tally, watermark, batches
        self._is_started = self._is_complete = False

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Raises SourceError, SchemaDrift or DependencyDown, naming the holder."""
        if self._is_started:
            raise UsageError("A delivery can be read once. Connect again.")
        self._is_started = True
        try:
            for batch in self._batches:
                self._tally.kept += batch.num_rows
                yield batch
        except HanbeonError:
            raise
        except Exception as error:  # a library's own message can carry the value that it choked on
            raise SourceError(
                f"{self._holder} sent something that its connector cannot read ({type(error).__name__}). "
                "Nothing of this delivery is used."
            ) from None
        finally:
            self._batches.close()  # an abandoned delivery lets its connection go at once
        self._is_complete = True

    @property
    def report(self) -> DeliveryReport:
        t = self._tally
        return DeliveryReport(
            asked=t.asked,
            received=t.received,
            kept=t.kept,
            dropped=dict(t.dropped),
            withheld=dict(t.withheld),
            watermark=_watermark(self._former, t.newest) if self._is_complete else None,
            signed_count=t.signed_count,
            is_complete=self._is_complete,
            withheld_subjects=frozenset(t.withheld_subjects),
            statements=tuple(t.statements),
        )


def _watermark(former: str | None, newest: datetime | None) -> str | None:
    if newest is None or (former is not None and parse_instant(former) >= newest):
        return former
    return newest.astimezone(UTC).isoformat()


def ask_since(request: RequestSet, settings: SourceSettings) -> datetime | None:
    """The instant from which a subject that is not new is asked for, inclusive; None asks for everything."""
    if request.watermark is None:
        return None
    try:
        return parse_instant(request.watermark) - timedelta(seconds=settings.dataset_seconds)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"The watermark of {request.dataset} is no ISO 8601 instant.") from error
