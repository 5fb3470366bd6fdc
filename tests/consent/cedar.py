"""Ask Cedar for the gate's decisions (tests/consent/gate.cedar): which rows of a snapshot may flow at an instant.

In: rows of authorisations and approvals as plain dicts, facts about persons, and the instant. Out: one bool for each
authorisation. Every approval in force is a policy that permits, every disclosure block one that forbids; a capacity in
force is a role that the grantor is in.
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
from tests.consent.test_gate_model import Facts

RULES = (Path(__file__).parent / "gate.cedar").read_text(encoding="utf-8")
Row = Mapping[str, Any]


def flows(authorisations: Sequence[Row], approvals: Sequence[Row], facts: Facts, at: datetime) -> list[bool]:
    """Whether each authorisation's row may flow, as Cedar decides."""
    policies = "\n".join([RULES, *filter(None, map(_permit, approvals)), *map(_block, facts.blocks)])
    requests = [_request(row, at) for row in authorisations]
    answers = cedarpy.is_authorized_batch(requests, policies, json.dumps([*_existing(), *_persons(facts, at)]))
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
        f' context has subject && context.subject == Person::"{block["victim_key"]}"'
        f' && context has grantor && context.grantor == Person::"{block["restricted_key"]}"'
        f" && {_micros(block['valid_from'])} <= context.now{until} }};"
    )


def _request(row: Row, at: datetime) -> dict[str, Any]:
    texts = ("document_type", "variant", "holder", "recipient", "service", "purpose", "kind", "mode", "state")
    facts: dict[str, Any] = {name: row[name] for name in texts if row.get(name) is not None}
    numbers = {"used_count": row["used_count"], "frequency_cap": row.get("frequency_cap")}
    ids = {"authorisation": row["authorisation_id"], "evidence": row.get("proof_digest")}
    if (row.get("identifier_statute") or "").strip():
        facts["identifier_statute"] = row["identifier_statute"]
    persons = {"subject": row["_subject_key"], "grantor": row.get("_grantor_key")}
    facts |= {name: value for name, value in numbers.items() if value is not None}
    facts |= {name: value for name, value in ids.items() if value is not None}
    facts |= {name: _person(value) for name, value in persons.items() if value is not None}
    facts |= {n: _micros(row[n]) for n in ("valid_from", "valid_until", "retain_until") if row[n] is not None}
    if row.get("grantor_capacity") is not None:
        facts |= {"capacity": row["grantor_capacity"], "role": _role(row["grantor_capacity"], row["_subject_key"])}
    if row["columns"] is not None:
        facts["columns"] = [column or "" for column in row["columns"]]
    if "service" in facts and "document_type" in facts:
        facts["need"] = {"__entity": {"type": "Need", "id": f"{row['service']} {row['document_type']}"}}
    return {
        "principal": f'Person::"{row.get("_grantor_key")}"',
        "action": 'Action::"flow"',
        "resource": f"Document::{_text(row['document_type'] or 'unknown')}",
        "context": {**facts, "now": _micros(at)},
    }


def _persons(facts: Facts, at: datetime) -> list[dict[str, Any]]:
    """Everybody: dead or alive, of age from when, and the capacities in force, which are roles to be in."""
    everybody = {str(key) for key in (*range(1, 10), None)}
    roles: dict[str, list[dict[str, str]]] = {key: [] for key in everybody}
    of_age = dict.fromkeys(everybody, 0)
    for one in facts.representations:
        if one["of_age_at"] is not None:
            child = str(one["represented_key"])
            of_age[child] = max(of_age[child], _micros(one["of_age_at"]))
        if one["valid_from"] <= at and (one["valid_until"] is None or at < one["valid_until"]):
            role = _role(one["capacity"], one["represented_key"])["__entity"]
            roles[str(one["representative_key"])].append(role)
    dead = {str(key) for key in facts.deaths}
    return [
        _entity("Person", key, {"is_dead": key in dead, "of_age_at": of_age[key]}, roles[key])
        for key in sorted(everybody)
    ]


def _role(capacity: str, represented: int | None) -> dict[str, dict[str, str]]:
    return {"__entity": {"type": "Role", "id": f"{capacity} of {represented}"}}


def _person(key: int) -> dict[str, dict[str, str]]:
    return {"__entity": {"type": "Person", "id": str(key)}}


@cache
def _existing() -> list[dict[str, Any]]:
    """What exists (documents) and what services need of it."""
    order = {c.document_type: c.variants for c in sources()}
    documents = [
        _entity(
            "Document",
            c.document_type,
            {"holder": c.holder, "identifier_kind": c.subject_identifier_kind, "columns": list(c.column_paths)},
        )
        for c in sources()
    ]
    needs = [
        _entity(
            "Need",
            f"{s.id} {r.document_type}",
            {
                "recipient": s.recipient,
                "purpose": s.purpose,
                "columns": list(r.columns),
                "is_by_statute": r.authorisation == "statute",
                "variants": list(order[r.document_type][: order[r.document_type].index(r.variant) + 1]),
            },
        )
        for s in services()
        for r in s.data_requirements
        if r.variant
    ]
    return documents + needs


def _entity(
    kind: str, name: str, members: Mapping[str, Any], parents: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    return {"uid": {"type": kind, "id": name}, "attrs": dict(members), "parents": list(parents)}


def _micros(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
