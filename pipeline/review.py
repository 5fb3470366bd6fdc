"""Review of the access records: who read what without a reason that the records show (F64, P9).

In: the access records that are in the log and that no review has looked at. Out: flags, each a read and the rule that
it meets; one statement in the log (kind 5) that says which entries were looked at, how many reads, and how many each
rule flagged. 개인정보의 안전성 확보조치 기준 제8조 wants one a month; a missed one is an alert of `hanbeon doctor`.

A flag accuses nobody: it is a read that somebody has to explain. Try it: `hanbeon review run`.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from consent import bodies, readers, vault
from consent.accesses import Access, Action, record
from consent.append import canonical, instant_text
from consent.bodies import BodyKind
from consent.log import entries
from consent.workdays import is_working_day
from hanbeon.clock import SEOUL, seoul_date
from hanbeon.settings import ReviewSettings
from pipeline.attest import attest
from pipeline.reading import read
from pipeline.run import Run
from schemas.contract import published

KIND = "access_review"
FAMILY_DOCUMENTS = ("RRT", "FAMR")  # whose lines say who belongs to whom
ABOUT_NOBODY = (Action.SQL, Action.REVIEW)
RULES = {
    "no_open_application": ("열린 신청 없음", "the read names no application that was open at that instant"),
    "off_hours": ("근무 시간 외", "outside of the hours of a working day in Seoul"),
    "bulk": ("대량 열람", "the reader passed the bound of persons for a day with this read"),
    "many_refused": (
        "거듭된 거절",
        "the reader passed the bound of refused reads for a day with this one, open applications aside",
    ),
    "own_record": ("본인 기록", "the reader's own record"),
    "own_family": ("가족 기록", "a record of the reader's household or family"),
    "watched": ("주목 대상", "a record of a person whom many are curious about"),
}
READS = """
select a.*, p.opened_at, p.decided_at
from log_entries as e
inner join accesses as a on a.access_id = e.number
left join applications as p using (application_id)
where e.kind = 3 and e.index >= %(start)s and e.index < %(stop)s
order by e.index
"""
UNREVIEWED = """
select min(recorded_at) from accesses
where access_id not in (select number from log_entries where kind = 3 and index < %(start)s)
"""

Read = Mapping[str, Any]


@dataclass(frozen=True)
class Flag:
    """One read that meets one of RULES. It names no subject."""

    access_id: str
    rule: str
    reader: str
    recorded_at: datetime
    action: str
    service: str | None
    document_type: str | None
    application_id: str | None


@dataclass(frozen=True)
class Review:
    """Entries start <= index < stop of the log were looked at. `emptied` reads had lost their content by their term."""

    start: int
    stop: int
    reads: int
    emptied: int
    flags: tuple[Flag, ...]

    def counts(self) -> dict[str, int]:
        found = Counter(flag.rule for flag in self.flags)
        return {rule: found[rule] for rule in RULES}


def review(run: Run, reviewer: str) -> Review:
    """Look at every read since the last review, and say in the log that it was done.

    The review is recorded as a read of its own, under the reviewer's name, before it is answered (P9).
    """
    attest(run)
    start, stop = reviewed_until(run.conn), entries.size(run.conn)
    record(run.conn, Access(reviewer, Action.REVIEW, f"log entries {start} to {stop}"), run.at())
    rows = _reads(run.conn, start, stop)
    reads = [row for row in rows if row["reader"] is not None]
    flags = tuple(sorted(_flags(run, reads), key=lambda f: (int(f.access_id), f.rule)))
    found = Review(start, stop, len(rows), len(rows) - len(reads), flags)
    bodies.record_body(run.conn, BodyKind.FINDING, _body(found, run))
    return found


def reviewed_until(conn: psycopg.Connection) -> int:
    """The log entry before which every read was looked at."""
    return max((body["stop"] for body in reviews(conn)), default=0)


def reviews(conn: psycopg.Connection) -> list[dict[str, Any]]:
    """The statements of every review, oldest first."""
    return [body for body in bodies.bodies(conn, BodyKind.FINDING) if body.get("kind") == KIND]


def waiting_since(run: Run) -> datetime | None:
    """The instant of the oldest read that no review has looked at; None without any."""
    row = run.conn.execute(UNREVIEWED, {"start": reviewed_until(run.conn)}).fetchone()
    return None if row is None else row[0]


def is_missed(run: Run) -> bool:
    """Whether reads have waited for a review longer than the settings allow."""
    since = waiting_since(run)
    return since is not None and run.at() - since > timedelta(days=run.settings.review.every_days)


def _body(found: Review, run: Run) -> dict[str, Any]:
    """Names nobody: the reviewer is in the access record of the review, readers in theirs."""
    flagged = canonical([[flag.access_id, flag.rule] for flag in found.flags])
    return {
        "kind": KIND,
        "start": found.start,
        "stop": found.stop,
        "reads": found.reads,
        "emptied": found.emptied,
        "flagged": found.counts(),
        "flags_sha256": hashlib.sha256(flagged).hexdigest(),
        "reviewed_at": instant_text(run.at()),
    }


def _reads(conn: psycopg.Connection, start: int, stop: int) -> list[dict[str, Any]]:
    with conn.transaction():
        return conn.cursor(row_factory=dict_row).execute(READS, {"start": start, "stop": stop}).fetchall()


def _flags(run: Run, reads: Sequence[Read]) -> Iterator[Flag]:
    bounds = run.settings.review
    for rule, found in (
        ("no_open_application", (r for r in reads if _is_without_application(r))),
        ("off_hours", (r for r in reads if is_off_hours(r["recorded_at"], bounds))),
        ("bulk", _passing(reads, bounds.bulk_persons, _seen)),
        ("many_refused", _passing(reads, bounds.refused_reads, _probed)),
    ):
        yield from (_flag(row, rule) for row in found)
    yield from _about_whom(run, [r for r in reads if r["_subject_key"] is not None])


def _flag(row: Read, rule: str) -> Flag:
    return Flag(
        access_id=str(row["access_id"]),
        rule=rule,
        reader=row["reader"],
        recorded_at=row["recorded_at"],
        action=row["action"],
        service=row["service"],
        document_type=row["document_type"],
        application_id=row["application_id"],
    )


def _is_without_application(row: Read) -> bool:
    """A read of a person's record for no application that was open at that instant."""
    return row["action"] not in ABOUT_NOBODY and row["is_granted"] and not _is_open(row)


def _seen(row: Read) -> Any:
    return row["_subject_key"] if row["is_granted"] else None


def _probed(row: Read) -> Any:
    """What was asked and refused. That a document of an open application has no consent is nobody's probing."""
    return None if row["is_granted"] or _is_open(row) else row["access_id"]


def _is_open(row: Read) -> bool:
    """Whether the application was open at the instant of the read (half-open, as every interval)."""
    opened, decided, at = row["opened_at"], row["decided_at"], row["recorded_at"]
    return opened is not None and opened <= at and (decided is None or at < decided)


def is_off_hours(at: datetime, bounds: ReviewSettings) -> bool:
    """Whether offices are closed in Seoul: a Saturday, Sunday or holiday, or an hour outside of the bounds."""
    hour = at.astimezone(SEOUL).hour
    return not is_working_day(seoul_date(at)) or not bounds.opens <= hour < bounds.closes


def _passing(reads: Sequence[Read], most: int, what: Callable[[Read], Any]) -> Iterator[Read]:
    """The read with which a reader goes past so many different things in one day of Seoul: one for a reader and day."""
    seen: defaultdict[tuple[str, Any], set[Any]] = defaultdict(set)
    for row in reads:
        one = what(row)
        if one is None:
            continue
        met = seen[row["reader"], seoul_date(row["recorded_at"])]
        before = len(met)
        met.add(one)
        if before == most and len(met) > most:
            yield row


def _about_whom(run: Run, reads: Sequence[Read]) -> Iterator[Flag]:
    """Reads about the reader herself, her household and family, and about persons whom many are curious about."""
    own, famous = readers.own_hashes(run.conn), readers.watched(run.conn)
    if not own and not famous:
        return
    kin = _kin(run, {r["_subject_key"] for r in reads}) if own else {}
    everybody = sorted({r["_subject_key"] for r in reads} | {k for keys in kin.values() for k in keys})
    hashed = dict(zip(everybody, person_hashes(run, everybody), strict=True))
    for row in reads:
        subject, reader = row["_subject_key"], own.get(row["reader"])
        if hashed[subject] == reader:
            yield _flag(row, "own_record")
        elif reader is not None and reader in {hashed[key] for key in kin.get(subject, ())}:
            yield _flag(row, "own_family")
        if hashed[subject] in famous:
            yield _flag(row, "watched")


def person_hashes(run: Run, keys: Sequence[int]) -> list[bytes]:
    """What the tables of readers and watched persons hold in the place of subject keys."""
    return vault.keyed_hashes(run.secrets, "review", [key.to_bytes(8, "little", signed=True) for key in keys])


def _kin(run: Run, subjects: set[int]) -> Mapping[int, set[int]]:
    """Who stands in one household or family document with each subject, as gold holds them now."""
    together: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for contract in published():
        if contract.group is None or contract.document_type not in FAMILY_DOCUMENTS:
            continue
        rows = read(run, f"gold/{contract.name}", contract.gold_schema)
        for evidence, *keys in zip(
            *(rows.column(name).to_pylist() for name in ("_evidence_id", "_subject_key", "_person_key")), strict=True
        ):
            together[contract.name, evidence] |= {key for key in keys if key is not None}
    return {s: {key for persons in together.values() if s in persons for key in persons - {s}} for s in subjects}
