"""What the ledger's events tell: the lives of authorisations, approvals, holds and all else that the ledger keeps.

In: rows of `ledger/events` whose hashes were checked. Out: every life as it stands at a ledger position, and findings
about events that are of no known kind, do not say what they must, or cannot follow what went before. Written from
docs/proof.md and docs/consent.md; shares no code with the writers. What the lives let stand: `verify.standing`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from verify import verify as plain

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of event: whose life it belongs to, from which states to which (None: as it was), what it must say."""

    life: str
    before: frozenset[str]  # empty: it begins the life
    after: str | None
    says: frozenset[str] = frozenset()


def _kind(life: str, before: str, after: str | None, says: str = "") -> Kind:
    return Kind(life, frozenset(before.split()), after, frozenset(says.split()))


GRANT = (
    "authorisation_id kind grantor_key grantor_capacity recipient service purpose valid_from valid_until retain_until"
    " evidence_digest scopes"
)
APPROVAL = "approval_id holder recipient document_type purpose valid_from valid_until"
REPRESENTATION = "representation_id represented_key representative_key capacity valid_from valid_until"
KINDS = {
    "granted": _kind("authorisation", "", "granted", GRANT),
    "paused": _kind("authorisation", "granted", "paused"),
    "resumed": _kind("authorisation", "paused", "granted"),
    "renewed": _kind("authorisation", "granted paused", None),
    "used": _kind("authorisation", "granted", None),
    "consumed": _kind("authorisation", "granted paused", "consumed"),
    "expired": _kind("authorisation", "granted paused", "expired"),
    "withdrawn": _kind("authorisation", "granted paused expired consumed", "withdrawn"),
    "approval_granted": _kind("approval", "", "active", APPROVAL),
    "approval_suspended": _kind("approval", "active", "suspended"),
    "approval_resumed": _kind("approval", "suspended", "active"),
    "approval_ended": _kind("approval", "active suspended", "ended"),
    "application_opened": _kind("application", "", "open"),
    "paper_brought": _kind("application", "open", None, "document_type"),
    "application_decided": _kind("application", "open", "decided", "decision"),
    "representation_recorded": _kind("representation", "", "recorded", REPRESENTATION),
    "representation_ended": _kind("representation", "recorded", "ended"),
    "death_recorded": _kind("death", "", "recorded", "subject_key"),
    "death_corrected": _kind("death", "recorded", "corrected"),
    "disclosure_blocked": _kind("block", "", "blocked", "victim_key restricted_key"),
    "disclosure_block_lifted": _kind("block", "blocked", "lifted"),
    "hold_placed": _kind("hold", "", "placed", "hold_id ground legal_basis scopes valid_until"),
    "hold_lifted": _kind("hold", "placed", "lifted"),
    "dispute_opened": _kind("dispute", "", "open", "subject_key document_type columns"),
    "dispute_answered": _kind("dispute", "open", "answered", "answer"),
    "dispute_corrected": _kind("dispute", "open answered", "corrected"),
}
EMPTIED = {"authorisation": {"withdrawn", "expired", "consumed"}, "application": {"decided"}}  # once over, by its term


@dataclass
class Life:
    """One authorisation, approval, hold, …: its state, what its events said, newest word last."""

    life: str
    state: str
    said: dict[str, Any] = field(default_factory=dict)
    began_at: datetime = datetime.min
    changed_at: datetime = datetime.min
    emptied: int = 0
    events: int = 0


Lives = dict[tuple[str, str], Life]  # (life, id)


def folded(events: Sequence[Row], position: int | None = None) -> tuple[Lives, list[tuple[int, str]]]:
    """Every life as the events up to a position leave it; (position, finding) of events that are not as they must."""
    lives: Lives = {}
    wrong = []
    for row in events:
        if position is not None and row["position"] > position:
            break
        try:
            _take(lives, row)
        except plain.Bad as bad:
            wrong.append((int(row["position"]), str(bad)))
    return lives, wrong


def unfinished(lives: Lives) -> Iterator[str]:
    """Lives of which some events were emptied although they are not over, or not all of them."""
    for (name, _), one in lives.items():
        if one.emptied and (one.emptied < one.events or one.state not in EMPTIED.get(name, ())):
            yield f"events of an {name} were emptied that is not over, or not all of them"


def _take(lives: Lives, row: Row) -> None:
    kind = KINDS.get(row["kind"])
    plain.need(kind is not None, "it is of no known kind")
    assert kind is not None
    own = row["authorisation_id"]
    plain.need(own == (row["subject"] if kind.life == "authorisation" else None), "it names another authorisation")
    given = None if row["payload"] is None else json.loads(row["payload"])
    plain.need(given is None or kind.says <= set(given), f"a {row['kind']} event does not say what it must")
    key = (kind.life, row["subject"])
    before = lives.get(key)
    if kind.before:
        plain.need(before is not None and before.state in kind.before, f"{row['kind']} cannot follow what went before")
        assert before is not None
        one = before
    else:
        plain.need(before is None, f"{row['kind']} stands there twice")
        one = lives[key] = Life(kind.life, str(kind.after), began_at=row["instant"])
    one.state = kind.after or one.state
    one.said |= given or {}
    one.changed_at, one.events, one.emptied = row["instant"], one.events + 1, one.emptied + (given is None)
