"""What stood at an earlier moment: an authorisation's state folded from its events, and the versions of its tables.

In: an authorisation's id, and a ledger position or an instant. Out: `AsOf`, from the ledger's events and the leaves
alone, so that it says the same for ever (P3). The read is recorded first.
"""

from dataclasses import dataclass
from datetime import datetime

from consent import accesses, journal
from consent.accesses import Access, Action
from consent.history import LedgerEvent, history
from consent.log import Kind, index_of
from consent.log.entries import stream_of
from consent.model import TRANSITIONS, Event, State
from hanbeon.clock import parse_instant
from hanbeon.errors import UsageError
from pipeline.lineage import evidence_tables
from pipeline.run import Run

DIGITS = 18


@dataclass(frozen=True)
class Version:
    """The newest version of a table that was committed at or before the position, and its place in the log."""

    table: str
    version: int
    ledger_position: int
    log_index: int | None


@dataclass(frozen=True)
class AsOf:
    """`state` is None where the authorisation was not there yet; `is_in_dates` whether its dates held the instant."""

    authorisation_id: str
    position: int
    instant: datetime
    state: State | None
    is_in_dates: bool
    events: tuple[LedgerEvent, ...]
    versions: tuple[Version, ...]
    access_id: str


def as_of(run: Run, authorisation_id: str, moment: str, reader: str) -> AsOf:
    """Raises UsageError for an unknown authorisation, and for a moment that is neither position nor instant."""
    position, instant = _moment(run, moment)
    asked = Access(reader, Action.TRACE_AUTHORISATION, f"as of {position}", authorisation_id=authorisation_id)
    access_id = accesses.record(run.conn, asked, run.at())
    every = history(run.conn, authorisation_id)
    if not every:
        raise UsageError("There is no authorisation with this id. `hanbeon consent list` shows them.")
    events = tuple(e for e in every if e.position <= position)
    state: State | None = None
    for event in events:
        state = TRANSITIONS[(state, Event(event.kind))]
    documents = {s["document_type"] for e in every if e.payload for s in e.payload.get("scopes", ())}
    return AsOf(
        authorisation_id,
        position,
        instant,
        state,
        _in_dates(events, instant),
        events,
        tuple(_versions(run, documents, position)),
        access_id,
    )


def _moment(run: Run, moment: str) -> tuple[int, datetime]:
    """The newest ledger position at a moment, and the instant that it stands for."""
    if moment.isascii() and moment.isdigit():
        position = int(moment) if len(moment) <= DIGITS else -1
        found = run.conn.execute("select position, instant from events where position = %s", [position]).fetchone()
        if found is None:
            raise UsageError("The ledger has no such position. `hanbeon consent show` tells positions.")
        return int(found[0]), found[1]
    try:
        instant = parse_instant(moment)
    except ValueError as error:
        raise UsageError("--as-of takes a ledger position, or an instant such as 2026-12-31T18:00+09:00.") from error
    row = run.conn.execute("select coalesce(max(position), 0) from events where instant <= %s", [instant]).fetchone()
    assert row is not None
    return int(row[0]), instant


def _in_dates(events: tuple[LedgerEvent, ...], instant: datetime) -> bool:
    """Whether the dates of grant and renewals held the instant; False once payloads are erased."""
    start = end = None
    for event in events:
        given = event.payload or {}
        start = parse_instant(given["valid_from"]) if "valid_from" in given else start
        end = parse_instant(given["valid_until"]) if "valid_until" in given else end
    return start is not None and end is not None and start <= instant < end


def _versions(run: Run, documents: set[str], position: int) -> list[Version]:
    found = []
    for table, (contract, _) in sorted(evidence_tables().items()):
        leaves = [leaf for leaf in journal.leaves(run.conn, table) if leaf.ledger_position <= position]
        if contract.document_type in documents and leaves:
            leaf = leaves[-1]
            index = index_of(run.conn, Kind.COMMIT, leaf.sequence, stream_of(table))
            found.append(Version(table, leaf.version, leaf.ledger_position, index))
    return found
