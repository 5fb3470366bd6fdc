"""Follow a row back to the consent, and a consent forward to every row, reader and erasure (P3).

In: a table and evidence id, an authorisation's id, or an application's; and who reads, which is recorded before
anything is answered (P9). Out: frozen records without content: a trace tells why a row is there, not what it says.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import pyarrow.compute as pc

from consent import accesses, history
from consent.accesses import Access, Action
from consent.history import LedgerEvent
from consent.ledger import authorisations as recorded
from consent.narrow import snapshot_of_application, snapshot_of_subject
from consent.snapshot import Snapshot
from hanbeon.errors import UsageError
from pipeline.coverage import paths_of
from pipeline.lawfulness import Authorisation, Row, authorisations
from pipeline.lineage import HeldRow, Link, chain, evidence_tables, held_rows, row_of
from pipeline.purging import ERASURES, ERASURES_SCHEMA
from pipeline.reading import Standing, read, runs, standing, verdicts
from pipeline.run import Run
from schemas.contract import Contract, source

__all__ = [
    "ApplicationTrace",
    "AuthorisationTrace",
    "HeldRow",
    "RowTrace",
    "trace_application",
    "trace_authorisation",
    "trace_row",
]


@dataclass(frozen=True)
class RowTrace:
    """Everything that one row rests on. `standings` go from the table asked about back to bronze."""

    table: str
    evidence_id: str
    document_type: str
    korean: str
    row: Row  # pipeline columns of the lake's row, with the witness of the table asked about
    standings: tuple[Standing, ...]
    dataset: str
    contract_id: str
    contract_version: str | None  # under which the row passed the quality gate; None where no verdict is kept
    contract_digest: str | None
    is_contract_current: bool
    pull: Row | None  # the run's row of `ops/runs`
    verdicts: tuple[Row, ...]
    authorisations: tuple[Authorisation, ...]
    readers: tuple[Row, ...]
    erasures: tuple[Row, ...]
    access_id: str


@dataclass(frozen=True)
class AuthorisationTrace:
    """`authorisations` has one entry for each document type and subject of the authorisation."""

    authorisation_id: str
    authorisations: tuple[Authorisation, ...]
    rows: tuple[HeldRow, ...]
    readers: tuple[Row, ...]
    erasures: tuple[Row, ...]
    access_id: str


@dataclass(frozen=True)
class ApplicationTrace:
    application: Row
    events: tuple[LedgerEvent, ...]
    papers: tuple[Row, ...]
    authorisations: tuple[AuthorisationTrace, ...]
    readers: tuple[Row, ...]
    access_id: str


def trace_row(run: Run, table: str, evidence_id: str, reader: str) -> RowTrace:
    """From one row back to consent and source. Raises UsageError when the table holds no such row."""
    links = chain(run, table, evidence_id)
    own = row_of(run, links[0]) if links else None
    row = next((r for link in links if link.recipient is None and (r := row_of(run, link)) is not None), None)
    access = partial(Access, reader, Action.TRACE_ROW, f"{table} {evidence_id}")
    if own is None or row is None:
        accesses.record(run.conn, access(is_granted=False, reason="unknown_row"), run.at())
        raise UsageError("No row with this evidence id stands in that table. `hanbeon trace application` lists rows.")
    contract = links[0].contract
    origin = source(contract.document_type)
    access_id = accesses.record(
        run.conn,
        access(
            subject_key=row["_subject_key"],
            document_type=contract.document_type,
            recipient=links[0].recipient,
            authorisation_id=own["_authorisation_id"],
        ),
        run.at(),
    )
    return _row_trace(run, links, {**row, "_authorisation_id": own["_authorisation_id"]}, origin, access_id)


def _row_trace(run: Run, links: list[Link], row: Row, origin: Contract, access_id: str) -> RowTrace:
    standings = tuple(s for link in links if (s := standing(run, link.table, link.evidence_id)) is not None)
    kept = _verdicts(run, row["_run_id"], f"bronze/{origin.dataset}")
    judged_by = kept[0] if kept else {}
    asked = links[0]
    return RowTrace(
        table=asked.table,
        evidence_id=asked.evidence_id,
        document_type=origin.document_type,
        korean=origin.description.partition(" (")[0],
        row={k: v for k, v in row.items() if k.startswith("_") and k not in ("_line_no", "_person_key")},
        standings=standings,
        dataset=origin.dataset,
        contract_id=origin.id,
        contract_version=judged_by.get("contract_version"),
        contract_digest=judged_by.get("contract_digest"),
        is_contract_current=judged_by.get("contract_digest") == origin.digest,
        pull=_pull(run, row["_run_id"], origin.dataset),
        verdicts=kept,
        authorisations=authorisations(
            run,
            snapshot_of_subject(run.conn, row["_subject_key"]),
            lambda terms: _bears_on(terms, row, asked),
            row["_authorisation_id"],
        ),
        readers=_readers(run, row["_subject_key"], origin.document_type),
        erasures=_erasures(run, {s.table for s in standings}, 0),
        access_id=access_id,
    )


def trace_authorisation(run: Run, authorisation_id: str, reader: str) -> AuthorisationTrace:
    """From one authorisation to every row that it covers, every reader and every erasure since."""
    terms = recorded(run.conn, authorisation_id=authorisation_id).to_pylist()
    access = partial(Access, reader, Action.TRACE_AUTHORISATION, "rows, readers and erasures of an authorisation")
    if not terms:
        accesses.record(run.conn, access(is_granted=False, reason="unknown_authorisation"), run.at())
        raise UsageError("There is no authorisation with this id. `hanbeon consent list` shows them.")
    about = [
        access(
            recipient=t["recipient"],
            service=t["service"],
            application_id=t["application_id"],
            subject_key=t["_subject_key"],
            document_type=t["document_type"],
            authorisation_id=authorisation_id,
        )
        for t in terms
    ]
    access_id = accesses.record_all(run.conn, about, run.at())[0]
    subjects = sorted({t["_subject_key"] for t in terms})
    own = tuple(
        a
        for key in subjects
        for a in authorisations(
            run, snapshot_of_subject(run.conn, key), lambda t: bool(t["authorisation_id"] == authorisation_id)
        )
    )
    return _authorisation_trace(run, authorisation_id, own, access_id)


def trace_application(run: Run, application_id: str, reader: str) -> ApplicationTrace:
    """From one application to its authorisations, and from those to rows, readers and erasures."""
    snapshot = snapshot_of_application(run.conn, application_id)
    access = partial(Access, reader, Action.TRACE_APPLICATION, "rows, readers and erasures of an application")
    if snapshot is None:
        accesses.record(run.conn, access(is_granted=False, reason="unknown_application"), run.at())
        raise UsageError("There is no such application. `hanbeon application list` shows the ids.")
    application = snapshot.applications.to_pylist()[0]
    about = access(
        recipient=application["recipient"],
        service=application["service"],
        application_id=application_id,
        subject_key=application["applicant_key"],
    )
    access_id = accesses.record(run.conn, about, run.at())
    return ApplicationTrace(
        application=application,
        events=tuple(history.history_of_subject(run.conn, application_id)),
        papers=tuple(snapshot.papers.to_pylist()),
        authorisations=_of_application(run, snapshot, application, access_id),
        readers=tuple(accesses.listing(run.conn, application_id=application_id).to_pylist()),
        access_id=access_id,
    )


def _of_application(run: Run, snapshot: Snapshot, application: Row, access_id: str) -> tuple[AuthorisationTrace, ...]:
    same = ("service", "recipient")
    own = authorisations(
        run,
        snapshot,
        lambda t: (
            t["application_id"] in (None, application["application_id"]) and all(t[n] == application[n] for n in same)
        ),
    )
    ids = list(dict.fromkeys(a.authorisation_id for a in own))
    return tuple(_authorisation_trace(run, i, tuple(a for a in own if a.authorisation_id == i), access_id) for i in ids)


def _authorisation_trace(
    run: Run, authorisation_id: str, own: tuple[Authorisation, ...], access_id: str
) -> AuthorisationTrace:
    rows = held_rows(run, own)
    since = min((e.position for a in own for e in a.events), default=0)
    layers = {table for a in own for table in _tables_of(a.terms)}
    return AuthorisationTrace(
        authorisation_id=authorisation_id,
        authorisations=own,
        rows=rows,
        readers=tuple(accesses.listing(run.conn, authorisation_ids=[authorisation_id]).to_pylist()),
        erasures=_erasures(run, layers, since),
        access_id=access_id,
    )


def _tables_of(terms: Row) -> set[str]:
    """The tables in which an authorisation's rows may have stood."""
    return {
        table
        for table, (contract, recipient) in evidence_tables().items()
        if contract.document_type == terms["document_type"] and recipient in (None, terms["recipient"])
    }


def _bears_on(terms: Row, row: Row, asked: Link) -> bool:
    """Whether an authorisation covers, or once covered, some column of this table for this very row."""
    wanted = (asked.contract.document_type, row["_variant"], row["_subject_key"])
    is_same = (terms["document_type"], terms["variant"], terms["_subject_key"]) == wanted
    is_its = asked.recipient in (None, terms["recipient"])
    return is_same and is_its and bool(set(terms["columns"]) & set(paths_of(asked.contract)))


def _pull(run: Run, run_id: str, dataset: str) -> Row | None:
    held = runs(run)
    own = pc.and_(pc.equal(held.column("run_id"), run_id), pc.equal(held.column("dataset"), dataset))
    rows = held.filter(pc.fill_null(own, False)).to_pylist()
    return max(rows, key=lambda r: (r["verdict"] == "passed", r["finished_at"]), default=None)


def _verdicts(run: Run, run_id: str, table: str) -> tuple[Row, ...]:
    held = verdicts(run)
    own = pc.and_(pc.equal(held.column("run_id"), run_id), pc.equal(held.column("table"), table))
    rows = held.filter(pc.fill_null(own, False)).to_pylist()
    last = max(((r["verdict"] == "passed", r["checked_at"]) for r in rows), default=None)
    return tuple(r for r in rows if (r["verdict"] == "passed", r["checked_at"]) == last)


def _readers(run: Run, subject_key: int, document_type: str) -> tuple[Row, ...]:
    found = accesses.listing(run.conn, subject_key=subject_key).to_pylist()
    return tuple(a for a in found if a["document_type"] in (None, document_type))


def _erasures(run: Run, names: Collection[str], since: int) -> tuple[Row, ...]:
    held = read(run, ERASURES, ERASURES_SCHEMA).to_pylist()
    return tuple(e for e in held if e["table"] in names and (e["ledger_position"] or 0) >= since)
