"""Authorisations, approvals and snapshots for tests, each good in every respect unless told otherwise."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from consent import sealing
from consent.manifests import TYP, manifest
from consent.model import Application, Approval, Grant, Kind, Mode, Scope, Sealed
from consent.snapshot import (
    APPLICATIONS_SCHEMA,
    APPROVALS_SCHEMA,
    AUTHORISATIONS_SCHEMA,
    BLOCKS_SCHEMA,
    DEATHS_SCHEMA,
    PAPERS_SCHEMA,
    REPRESENTATIONS_SCHEMA,
    USES_SCHEMA,
    Snapshot,
)
from consent.trust import Trust, read_trust
from schemas.contract import source
from schemas.services import service
from sources.simulate import identity

AT = datetime(2026, 6, 1, 0, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
SERVICE = service("SINGLE_PARENT")


def trusted(home: Path) -> Trust:
    """A simulated world's identity provider and agency, and the operator's trust in them."""
    identity.introduce(home)
    return read_trust(home / "keys" / "trusted.json", identity.ORIGIN)


def manifest_of(home: Path, file: Path, at: datetime = AT, agency: str = identity.AGENCY) -> str:
    """What the world's agency signs over a file of authorisations."""
    return identity.signed(identity.agency_key(home), manifest(file, agency, at), TYP)


def proof(authorisation_id: str = "auth-1") -> Sealed:
    """Evidence as the ledger takes it, sealed under a secret that nobody keeps. `test_evidence` makes real ones."""
    return sealing.seal(os.urandom(32), authorisation_id, {"kind": "authentication", "token": "made for a test"})


def scope(document_type: str = "RRT", subject_key: int = 7, **changes: Any) -> Scope:
    needed = next(r for r in SERVICE.requirements if r.document_type == document_type)
    made = Scope(subject_key, document_type, needed.variant or "", needed.columns, source(document_type).holder)
    return replace(made, **changes)


def grant(*scopes: Scope, **changes: Any) -> Grant:
    """Of the first scope's subject, about herself."""
    scopes = scopes or (scope(),)
    made = Grant(
        kind=Kind.CONSENT,
        grantor_key=scopes[0].subject_key,
        application_id=None,
        recipient=SERVICE.recipient,
        service=SERVICE.id,
        purpose=SERVICE.purpose,
        legal_basis=SERVICE.legal_basis,
        mode=Mode.ONE_TIME,
        valid_from=AT,
        valid_until=AT + 30 * DAY,
        retain_until=AT + 35 * DAY,
        scopes=scopes,
        evidence=proof(),
        identifier_statute="전자정부법 시행령 제90조",
    )
    return replace(made, **changes)


def standing(*scopes: Scope, **changes: Any) -> Grant:
    return grant(*scopes, **{"mode": Mode.STANDING, **changes})


def approval(document_type: str = "RRT", **changes: Any) -> Approval:
    made = Approval(
        holder=source(document_type).holder,
        recipient=SERVICE.recipient,
        document_type=document_type,
        purpose=SERVICE.purpose,
        legal_basis="전자정부법 제39조",
        valid_from=AT - DAY,
        valid_until=AT + 365 * DAY,
    )
    return replace(made, **changes)


def application(application_id: str | None = "A-1", applicant_key: int = 7) -> Application:
    return Application(application_id, SERVICE.id, SERVICE.recipient, applicant_key, AT)


def authorisation_row(**changes: Any) -> dict[str, Any]:
    """One row of `ledger/authorisations` that flows at AT under `approval_row()`."""
    needed = SERVICE.data_requirements[1]
    row = {
        "authorisation_id": "auth-1",
        "kind": "consent",
        "_grantor_key": changes.get("_subject_key", 7),  # everybody for themselves
        "_subject_key": 7,
        "application_id": None,
        "document_type": needed.document_type,
        "variant": needed.variant,
        "columns": list(needed.columns),
        "holder": source(needed.document_type).holder,
        "recipient": SERVICE.recipient,
        "service": SERVICE.id,
        "purpose": SERVICE.purpose,
        "legal_basis": SERVICE.legal_basis,
        "mode": "one_time",
        "valid_from": AT,
        "valid_until": AT + 30 * DAY,
        "retain_until": AT + 35 * DAY,
        "used_count": 0,
        "proof_digest": "ab" * 32,
        "identifier_statute": "전자정부법 시행령 제90조",
        "state": "granted",
        "state_at": AT,
        "ledger_position": 1,
    }
    return {**row, **changes}


def approval_row(**changes: Any) -> dict[str, Any]:
    needed = SERVICE.data_requirements[1]
    row = {
        "approval_id": "appr-1",
        "holder": source(needed.document_type).holder,
        "recipient": SERVICE.recipient,
        "document_type": needed.document_type,
        "purpose": SERVICE.purpose,
        "legal_basis": "전자정부법 제39조",
        "storage": "lake",
        "valid_from": AT - DAY,
        "valid_until": AT + 365 * DAY,
        "state": "active",
        "state_at": AT,
        "ledger_position": 1,
    }
    return {**row, **changes}


def representation_row(**changes: Any) -> dict[str, Any]:
    """One row of `representations` in force at AT: 9 is the guardian of the ward 7."""
    row = {
        "representation_id": "repr-1",
        "represented_key": 7,
        "representative_key": 9,
        "capacity": "guardian_of_ward",
        "valid_from": AT,
        "valid_until": None,
        "of_age_at": None,
        "evidence": "GRDN 2026-00001",
        "ledger_position": 1,
    }
    return {**row, **changes}


def death_row(subject_key: int) -> dict[str, Any]:
    return {
        "death_id": f"dead-{subject_key}",
        "subject_key": subject_key,
        "died_on": AT.date(),
        "evidence": "FAMR 2026-00002",
        "ledger_position": 1,
    }


def snapshot_of(
    authorisations: list[dict[str, Any]],
    approvals: list[dict[str, Any]],
    *,
    representations: Sequence[dict[str, Any]] = (),
    deaths: Sequence[dict[str, Any]] = (),
    blocks: Sequence[dict[str, Any]] = (),
    uses: Sequence[dict[str, Any]] = (),
) -> Snapshot:
    return Snapshot(
        1,
        pa.Table.from_pylist(authorisations, schema=AUTHORISATIONS_SCHEMA),
        pa.Table.from_pylist(approvals, schema=APPROVALS_SCHEMA),
        APPLICATIONS_SCHEMA.empty_table(),
        PAPERS_SCHEMA.empty_table(),
        pa.Table.from_pylist(list(blocks), schema=BLOCKS_SCHEMA),
        pa.Table.from_pylist(list(representations), schema=REPRESENTATIONS_SCHEMA),
        pa.Table.from_pylist(list(deaths), schema=DEATHS_SCHEMA),
        pa.Table.from_pylist(list(uses), schema=USES_SCHEMA),
    )
