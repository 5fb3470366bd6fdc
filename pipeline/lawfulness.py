"""Why something may flow, or why not: an authorisation with its events, its approvals and what the gate says now.

In: a narrow ledger snapshot. Out: frozen `Authorisation`s, one for each (authorisation, document type, subject) asked.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from consent import gate, ledger
from consent.history import LedgerEvent
from consent.snapshot import Snapshot
from pipeline.run import Run

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Authorisation:
    """`terms` is the row of `ledger/authorisations`; `reason` says why it does not flow now, None where it does."""

    authorisation_id: str
    terms: Row
    is_witness: bool
    reason: str | None
    events: tuple[LedgerEvent, ...]
    approvals: tuple[Row, ...]

    @property
    def flows(self) -> bool:
        return self.reason is None


def authorisations(
    run: Run,
    snapshot: Snapshot,
    is_wanted: Callable[[Row], bool],
    witness: str | None = None,
) -> tuple[Authorisation, ...]:
    """Those of the snapshot that are wanted: the witness first, then what flows, then what does not."""
    reasons = _reasons(run, snapshot)
    approvals = snapshot.approvals.to_pylist()
    found = [
        Authorisation(
            authorisation_id=terms["authorisation_id"],
            terms=terms,
            is_witness=terms["authorisation_id"] == witness,
            reason=reasons.get(_grain(terms)),
            events=_events(run.conn, terms["authorisation_id"]),
            approvals=tuple(_resting_on(terms, approvals)),
        )
        for terms in snapshot.authorisations.to_pylist()
        if is_wanted(terms)
    ]
    return tuple(sorted(found, key=lambda a: (not a.is_witness, not a.flows, a.authorisation_id, *_grain(a.terms))))


def _reasons(run: Run, snapshot: Snapshot) -> dict[tuple[str, str, int], str]:
    return {_grain(row): row["reason"] for row in gate.explained(snapshot, run.at()).to_pylist()}


def _grain(row: Row) -> tuple[str, str, int]:
    return row["authorisation_id"], row["document_type"], row["_subject_key"]


def _events(conn: psycopg.Connection, authorisation_id: str) -> tuple[LedgerEvent, ...]:
    return tuple(ledger.history(conn, authorisation_id))


def _resting_on(terms: Row, approvals: Iterable[Row]) -> list[Row]:
    same = ("holder", "recipient", "document_type", "purpose")
    return [a for a in approvals if all(a[name] == terms[name] for name in same)]
