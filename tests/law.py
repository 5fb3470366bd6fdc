"""The law in plain Python, kept beside the real system by a test that drives both: shares no code with ledger or gate.

In: what was granted and agreed at the start, then what happens, one event at a time. Out: what may stand, now.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Covered = Mapping[tuple[str, int, str], set[str]]  # (document type, subject, variant) -> columns
Row = Mapping[str, Any]


@dataclass
class Consent:
    """One authorisation as the law sees it. Every scope is (document type, subject, variant, columns, holder)."""

    grantor: int | None
    recipient: str
    purpose: str
    is_one_time: bool
    application_id: str | None
    valid_from: datetime
    valid_until: datetime
    retain_until: datetime  # the data life: after it nothing stands, whatever END date there is
    state: str
    scopes: list[tuple[str, int, str, frozenset[str], str]] = field(default_factory=list)


@dataclass
class Law:
    """Everything that decides. Agreements are (holder, recipient, document type, purpose) with state and dates."""

    consents: dict[str, Consent] = field(default_factory=dict)
    agreements: dict[str, dict[str, Any]] = field(default_factory=dict)
    blocks: dict[str, tuple[int, int]] = field(default_factory=dict)  # id -> (victim, who may not see the victim)

    def know(self, rows: Iterable[Row]) -> None:
        """Take authorisations as the ledger's table shows them right after they were granted."""
        for row in rows:
            consent = self.consents.setdefault(
                row["authorisation_id"],
                Consent(
                    row["_grantor_key"],
                    row["recipient"],
                    row["purpose"],
                    row["mode"] == "one_time",
                    row["application_id"],
                    row["valid_from"],
                    row["valid_until"],
                    row["retain_until"],
                    row["state"],
                ),
            )
            scope = (
                row["document_type"],
                row["_subject_key"],
                row["variant"],
                frozenset(row["columns"]),
                row["holder"],
            )
            consent.scopes.append(scope)

    def agree(self, rows: Iterable[Row]) -> None:
        self.agreements |= {row["approval_id"]: dict(row) for row in rows}

    def block(self, key: str, victim: int, restricted: int) -> None:
        self.blocks[key] = (victim, restricted)

    def withdraw(self, key: str) -> None:
        self.consents[key].state = "withdrawn"

    def pause(self, key: str) -> None:
        self.consents[key].state = "paused"

    def resume(self, key: str) -> None:
        self.consents[key].state = "granted"

    def decide(self, application_id: str) -> None:
        """A one-time consent is used up by the decision that it was for."""
        for consent in self.consents.values():
            if consent.application_id == application_id and consent.is_one_time:
                consent.state = "consumed" if consent.state in ("granted", "paused") else consent.state

    def expire(self, at: datetime) -> None:
        """Whoever looks for what is due ends it for good: a clock that goes back afterwards extends nothing (F7)."""
        for consent in self.consents.values():
            if consent.state in ("granted", "paused") and consent.valid_until <= at:
                consent.state = "expired"

    def in_state(self, *states: str) -> list[str]:
        return sorted(key for key, consent in self.consents.items() if consent.state in states)

    def covered(self, at: datetime, recipient: str | None = None) -> Covered:
        """What consent and agreement together let stand at an instant; of one recipient when it is named."""
        agreed = {
            (a["holder"], a["recipient"], a["document_type"], a["purpose"])
            for a in self.agreements.values()
            if a["state"] == "active" and a["valid_from"] <= at < a["valid_until"]
        }
        found: dict[tuple[str, int, str], set[str]] = defaultdict(set)
        for consent in self.consents.values():
            is_now = consent.state == "granted" and consent.valid_from <= at < consent.valid_until
            is_now = is_now and at < consent.retain_until
            if not is_now or recipient not in (None, consent.recipient):
                continue
            for document_type, subject, variant, columns, holder in consent.scopes:
                if (subject, consent.grantor) in self.blocks.values():
                    continue
                if (holder, consent.recipient, document_type, consent.purpose) in agreed:
                    found[document_type, subject, variant] |= columns
        return found
