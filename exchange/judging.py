"""What the gate says of an application's required documents now, one by one and about each subject.

In: the ledger's state of one application and an instant. Out: a `Judgement`: for each document that its service needs,
whether this application's authorisations open it, which columns they cover together, and why not otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from consent import gate
from consent.model import ApplicationState
from consent.snapshot import Snapshot
from pipeline.bundles import requirements
from schemas.services import Requirement, service


@dataclass(frozen=True)
class Judged:
    """What the gate says of one required document about one subject, for this application alone."""

    requirement: Requirement
    subject_key: int
    authorisation_ids: tuple[str, ...]
    columns: frozenset[str]
    reason: str | None
    is_paper: bool

    @property
    def is_open(self) -> bool:
        return bool(self.authorisation_ids)


@dataclass(frozen=True)
class Judgement:
    """`needed` are the rows of `bundles.requirements` that `judged` says more of; none of a decided application.

    `allowed` are the gate's rows that it rests on.
    """

    judged: tuple[Judged, ...]
    needed: pa.Table
    allowed: pa.Table


def judge(snapshot: Snapshot, application: Mapping[str, Any], at: datetime, only: str | None) -> Judgement:
    flowing = _of_application(gate.allowed(snapshot, at), application)
    allowed = flowing.to_pylist()
    needed = requirements(
        snapshot.applications, snapshot.papers, gate.allowed(snapshot, at), gate.explained(snapshot, at)
    )
    papers = set(snapshot.papers.column("document_type").to_pylist())
    applicant = application["applicant_key"]
    is_open = application["state"] == ApplicationState.OPEN
    rows = needed.to_pylist()
    judged = []
    for requirement in service(application["service"]).needed_of(application["applicant_kind"]):
        if only not in (None, requirement.document_type):
            continue
        own = [r for r in rows if r["document_type"] == requirement.document_type]
        told = {r["_subject_key"]: r["reason"] for r in own} or {applicant: None}
        is_paper = requirement.document_type in papers
        judged += [
            _judge_one(requirement, k, allowed, is_open, told[k], is_paper)
            for k in sorted(told, key=lambda k: (k != applicant, k))
        ]
    return Judgement(tuple(judged), needed, flowing)


def _of_application(allowed: pa.Table, application: Mapping[str, Any]) -> pa.Table:
    """The gate's rows for this very application, or standing ones of the same household, service and recipient."""
    household = pa.array([application["applicant_key"], *(application["member_keys"] or ())], pa.int64())

    def equal(name: str, value: Any) -> pa.ChunkedArray:
        return pc.fill_null(pc.equal(allowed.column(name), value), False)

    is_standing = pc.and_(
        pc.is_null(allowed.column("application_id")),
        pc.or_(*(pc.is_in(allowed.column(n), value_set=household) for n in ("_subject_key", "_grantor_key"))),
    )
    own = pc.or_(equal("application_id", application["application_id"]), is_standing)
    same = pc.and_(equal("service", application["service"]), equal("recipient", application["recipient"]))
    return allowed.filter(pc.and_(own, same))


def _judge_one(
    requirement: Requirement,
    subject_key: int,
    allowed: list[dict[str, Any]],
    is_open: bool,
    why: str | None,
    is_paper: bool,
) -> Judged:
    covering = [
        g
        for g in allowed
        if is_open
        and requirement.is_available
        and (g["_subject_key"], g["document_type"]) == (subject_key, requirement.document_type)
        and g["variant"] == requirement.variant
    ]
    columns = frozenset(c for g in covering for c in g["columns"]) & set(requirement.columns)
    ids = tuple(sorted({str(g["authorisation_id"]) for g in covering})) if columns else ()
    if not is_open:
        reason: str | None = "application_decided"
    else:
        reason = None if ids or not requirement.is_available else why or "no_authorisation"
    return Judged(requirement, subject_key, ids, columns, reason, is_paper)
