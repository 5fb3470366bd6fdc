"""What the law lets the lake hold, worked out row by row in plain Python: shares no code with gate or pipeline."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from consent.snapshot import Snapshot

Covered = dict[tuple[str, int, str], set[str]]  # (document type, subject, variant) -> columns


def covered(snapshot: Snapshot, at: datetime, recipient: str | None = None) -> Covered:
    """What authorisation and approval together let stand at an instant; of one recipient when it is named."""
    agreed: set[tuple[str, ...]] = {
        (a["holder"], a["recipient"], a["document_type"], a["purpose"])
        for a in snapshot.approvals.to_pylist()
        if a["state"] == "active" and a["valid_from"] <= at < a["valid_until"]
    }
    found: Covered = defaultdict(set)
    for row in snapshot.authorisations.to_pylist():
        if _flows(row, agreed, at) and recipient in (None, row["recipient"]):
            found[row["document_type"], row["_subject_key"], row["variant"]] |= set(row["columns"])
    return found


def _flows(row: dict[str, Any], agreed: set[tuple[str, ...]], at: datetime) -> bool:
    return (
        row["state"] == "granted"
        and row["valid_from"] <= at < row["valid_until"]
        and row["document_type"] != "INSV"
        and (row["holder"], row["recipient"], row["document_type"], row["purpose"]) in agreed
    )
