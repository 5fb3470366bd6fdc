"""Asking a holder key by key, page by page, and believing none of it (F20).

A part is some hundred subjects, each once. All pages of a part are read and checked before any of its records is used:
page numbers and totals agree, no page repeats another, the records are as many as the holder says. An answer that
cannot be parsed at all is isolated by halving the part, down to the one subject whose record is the poison; a few of
those in a row, and it is the holder that is broken, not a record (F23).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import pyarrow as pa

from hanbeon.errors import SourceError
from schemas.contract import Contract
from schemas.request import RequestSet
from sources.conform import Newest, Poison, Row, Version, instant_control, text_control
from sources.coverage import Asked, Covered, asked
from sources.delivery import COLUMN_NOT_REQUESTED, NOT_REQUESTED, Tally, give_up
from sources.http import AnswerTooLarge

MOST_RECORDS_PER_SUBJECT = 200

R = TypeVar("R")


class Unreadable(Exception):
    """An answer that is no well-formed page. `reason` is safe to count."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Page(Generic[R]):
    number: int
    pages: int
    total: int
    records: Sequence[R]


@dataclass(frozen=True)
class Form(Generic[R]):
    """How one delivery form is asked and read. The readers give raw values, or raise Poison or SchemaDrift."""

    fetch: Callable[[Sequence[Asked], int], Page[R]]  # raises Unreadable
    identifier: Callable[[R], object]
    record_id: Callable[[R], object]
    changed_at: Callable[[R], object]
    is_deleted: Callable[[R], bool]
    content: Callable[[R, Asked], Row]
    not_covered: Callable[[R, Asked], int]  # how many values came that were not asked for


@dataclass
class Reading(Generic[R]):
    """One delivery being read: its contract, form and counts."""

    contract: Contract
    form: Form[R]
    tally: Tally
    page_size: int

    def rows(self, request: RequestSet, sets: tuple[Covered, ...], since: datetime | None) -> Iterator[Row]:
        for part in parts(request.table, self.page_size):
            for subjects, records in self._read(asked(part, sets, since)):
                yield from self._newest(subjects, records)

    def _read(self, part: Sequence[Asked]) -> Iterator[tuple[Sequence[Asked], list[R]]]:
        try:
            records = self._pages(part)
        except AnswerTooLarge:
            if len(part) == 1:
                raise
        except Unreadable as fault:
            if len(part) == 1:
                give_up(self.contract, self.tally, part[0], fault.reason)
                return
        else:
            self.tally.unreadable = 0
            yield part, records
            return
        middle = len(part) // 2
        yield from self._read(part[:middle])
        yield from self._read(part[middle:])

    def _pages(self, part: Sequence[Asked]) -> list[R]:
        first = self.form.fetch(part, 1)
        self._agree(first, first, 1, len(part))
        records, seen = list(first.records), self._marks(first)
        for number in range(2, first.pages + 1):
            page = self.form.fetch(part, number)
            self._agree(page, first, number, len(part))
            marks = self._marks(page)
            if seen & marks:
                raise self._fault(number, "repeats records of an earlier page")
            seen |= marks
            records.extend(page.records)
        if len(records) != first.total:
            raise self._fault(first.pages, f"is the last, and {len(records)} of {first.total} records came")
        self.tally.received += len(records)
        self.tally.signed_count = (self.tally.signed_count or 0) + first.total
        return records

    def _agree(self, page: Page[R], first: Page[R], number: int, subjects: int) -> None:
        if page.number != number:
            raise self._fault(number, f"answers as page {page.number}")
        if (page.pages, page.total) != (first.pages, first.total):
            raise self._fault(number, "has other totals than page 1")
        if page.total < 0 or page.total > subjects * MOST_RECORDS_PER_SUBJECT:
            raise self._fault(number, f"announces {page.total} records for {subjects} subjects")
        if page.pages > max(1, page.total) or (page.total and page.pages < 1):
            raise self._fault(number, f"announces {page.pages} pages for {page.total} records")
        if page.total and not page.records:
            raise self._fault(number, "is empty")

    def _marks(self, page: Page[R]) -> set[tuple[object, ...]]:
        """Which record versions a page holds. One whose controls are poison cannot be told from another."""
        readers = (self.form.identifier, self.form.record_id, self.form.changed_at)
        marks = {tuple(read(record) for read in readers if not _fails(read, record)) for record in page.records}
        return {m for m in marks if len(m) == len(readers) and all(isinstance(v, str) for v in m)}

    def _fault(self, number: int, what: str) -> SourceError:
        return SourceError(
            f"{self.contract.holder}, {self.contract.dataset}: page {number} {what}. "
            "Nothing of this delivery is used; the watermark stays."
        )

    def _newest(self, subjects: Sequence[Asked], records: Sequence[R]) -> Iterator[Row]:
        by_identifier = {s.identifier: s for s in subjects}
        newest = Newest()
        for record in records:
            try:
                subject = by_identifier.get(text_control(self.form.identifier(record)))
            except Poison as poison:
                self.tally.withhold(poison.reason, None)
                continue
            if subject is None:
                self.tally.drop(NOT_REQUESTED, 1)
            else:
                self._add(newest, record, subject)
        yield from newest.rows(self.tally)

    def _add(self, newest: Newest, record: R, subject: Asked) -> None:
        record_id = None
        try:
            record_id = text_control(self.form.record_id(record))
            changed_at = instant_control(self.form.changed_at(record))
            is_deleted = self.form.is_deleted(record)
        except Poison as poison:
            self.tally.withhold(poison.reason, subject.subject_key)
            if record_id is not None:
                newest.withhold(subject, record_id)
            return
        if not is_deleted:
            self.tally.drop(COLUMN_NOT_REQUESTED, self.form.not_covered(record, subject))

        def content() -> Row:
            return {"_is_deleted": True} if is_deleted else {"_is_deleted": False} | self.form.content(record, subject)

        newest.add(Version(subject, record_id, changed_at, content), self.tally)


def _fails(read: Callable[[R], object], record: R) -> bool:
    try:
        read(record)
    except Poison:
        return True
    return False


def parts(table: pa.Table, size: int) -> Iterator[pa.Table]:
    """The request set in parts that name each identifier once and keep the rows of one subject key together."""
    table = table.sort_by([("variant", "ascending"), ("_subject_key", "ascending")])
    variants, keys = table["variant"].to_pylist(), table["_subject_key"].to_pylist()
    start = 0
    while start < len(keys):
        end = min(start + size, len(keys))
        while end < len(keys) and (variants[end], keys[end]) == (variants[end - 1], keys[end - 1]):
            end += 1
        while variants[end - 1] != variants[start]:
            end -= 1
        yield table.slice(start, end - start)
        start = end
