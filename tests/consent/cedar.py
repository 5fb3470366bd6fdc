"""Ask Cedar for the gate's decisions (tests/consent/gate.cedar): which rows of a snapshot may flow at an instant.

In: rows of authorisations, approvals and blocks as plain dicts, and the instant. Out: one bool for each authorisation.
Every approval in force is a policy that permits, every disclosure block one that forbids; facts are the context.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import cedarpy

from schemas.contract import sources
from schemas.services import services

RULES = (Path(__file__).parent / "gate.cedar").read_text(encoding="utf-8")
Row = Mapping[str, Any]


def flows(authorisations: Sequence[Row], approvals: Sequence[Row], blocks: Sequence[Row], at: datetime) -> list[bool]:
    """Whether each authorisation's row may flow, as Cedar decides."""
    policies = "\n".join([RULES, *filter(None, map(_permit, approvals)), *map(_block, blocks)])
    requests = [_request(row, at) for row in authorisations]
    answers = cedarpy.is_authorized_batch(requests, policies, _entities())
    for answer in answers:
        assert not answer.diagnostics.errors, answer.diagnostics.errors
    return [answer.allowed for answer in answers]


def _permit(approval: Row) -> str | None:
    """An approval whose every member is known and that is active; any other permits nothing."""
    if approval["state"] != "active" or None in approval.values():
        return None
    return (
        f'permit(principal, action == Action::"flow", resource == Document::{_text(approval["document_type"])}) when {{'
        f" context has holder && context.holder == {_text(approval['holder'])}"
        f" && context has recipient && context.recipient == {_text(approval['recipient'])}"
        f" && context has purpose && context.purpose == {_text(approval['purpose'])}"
        f" && {_micros(approval['valid_from'])} <= context.now && context.now < {_micros(approval['valid_until'])} }};"
    )


def _block(block: Row) -> str:
    until = f" && context.now < {_micros(block['valid_until'])}" if block["valid_until"] is not None else ""
    return (
        'forbid(principal, action == Action::"flow", resource) when {'
        f' context has subject && context.subject == "{block["victim_key"]}"'
        f' && context has grantor && context.grantor == "{block["restricted_key"]}"'
        f" && {_micros(block['valid_from'])} <= context.now{until} }};"
    )


def _request(row: Row, at: datetime) -> dict[str, Any]:
    texts = ("document_type", "variant", "holder", "recipient", "service", "purpose", "kind", "mode", "state")
    facts: dict[str, Any] = {name: row[name] for name in texts if row.get(name) is not None}
    numbers = {"used_count": row["used_count"], "frequency_cap": row.get("frequency_cap")}
    keys = {
        "subject": row["_subject_key"],
        "grantor": row.get("_grantor_key"),
        "authorisation": row["authorisation_id"],
        "evidence": row.get("proof_digest"),
    }
    facts |= {name: value for name, value in numbers.items() if value is not None}
    facts |= {name: str(value) for name, value in keys.items() if value is not None}
    facts |= {n: _micros(row[n]) for n in ("valid_from", "valid_until") if row[n] is not None}
    if row["columns"] is not None:
        facts["columns"] = [column or "" for column in row["columns"]]
    if "service" in facts and "document_type" in facts:
        facts["need"] = {"__entity": {"type": "Need", "id": f"{row['service']} {row['document_type']}"}}
    return {
        "principal": 'Recipient::"any"',
        "action": 'Action::"flow"',
        "resource": f"Document::{_text(row['document_type'] or 'unknown')}",
        "context": {**facts, "now": _micros(at)},
    }


@cache
def _entities() -> str:
    """What exists (documents) and what services need of it."""
    order = {c.document_type: c.variants for c in sources()}
    documents = [
        _entity("Document", c.document_type, {"holder": c.holder, "columns": list(c.column_paths)}) for c in sources()
    ]
    needs = [
        _entity(
            "Need",
            f"{s.id} {r.document_type}",
            {
                "recipient": s.recipient,
                "purpose": s.purpose,
                "columns": list(r.columns),
                "variants": list(order[r.document_type][: order[r.document_type].index(r.variant) + 1]),
            },
        )
        for s in services()
        for r in s.data_requirements
        if r.variant
    ]
    return json.dumps(documents + needs, ensure_ascii=False)


def _entity(kind: str, name: str, members: Mapping[str, Any]) -> dict[str, Any]:
    return {"uid": {"type": kind, "id": name}, "attrs": dict(members), "parents": []}


def _micros(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
