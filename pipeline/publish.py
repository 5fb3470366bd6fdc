"""Standardise what changed, then publish it: write, audit, publish.

`standardise` recomputes the subjects whose evidence in gold is not what bronze says, through dbt, and leaves the
result waiting in staging. `publish` passes it through the gold quality gate, asks the consent gate again, and commits
gold, every recipient's share and the bundles of open applications; the pointer moves once. Steps 6 and 7 of a record's
walk (README).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from consent import gate, ledger
from hanbeon.clock import seoul_date
from hanbeon.errors import BatchRefused
from lake import tables
from pipeline import bundles, staging
from pipeline.agreement import AGREEMENT, agreement, agreement_compute
from pipeline.commit import Change, Compute, Current, Plan, commit
from pipeline.counting import decisions
from pipeline.coverage import covered, unite
from pipeline.evidence import asked, evidence
from pipeline.gold import changed_subjects, moved_subjects, replaced
from pipeline.ledger_copy import copy_ledger
from pipeline.operations import is_unpublished, last_published, record
from pipeline.pull import changed
from pipeline.run import Run
from pipeline.sharing import (
    bundle_compute,
    documents,
    gold_plan,
    gold_rows,
    overdue,
    share_compute,
    share_plans,
    shares,
    whole_if_changed,
)
from pipeline.staging import Staged
from pipeline.standardise import standardise as build_marts
from pipeline.summary import Summary
from quality.gold import check_gold
from schemas import statutes
from schemas.contract import Contract, gold, published, sources

__all__ = ["about_no_document", "documents", "publish", "share_compute", "shares", "standardise", "whole_if_changed"]


def about_no_document() -> list[Contract]:
    """Tables about applications, decisions, papers and the law: replaced whole by each publication if they changed."""
    return [c for c in published() if "documentType" not in c.properties]


def standardise(run: Run) -> Summary:
    """Leave in staging what publication needs; nothing when nothing changed. Raises StandardiseFailed."""
    started_at = run.at()
    staging.discard(run)
    copy_ledger(run)
    snapshot = ledger.snapshot(run.conn)
    allowed = gate.allowed(snapshot, started_at)
    live = {c.slug: _live(run, c, allowed) for c in sources()}
    former = last_published(run)
    recomputed = {c.document_type: _due(run, c, live[c.slug], snapshot, former) for c in sources()}
    context = _context(run, snapshot, allowed, started_at)
    digest = bundles.digest(context) + run.code_hash
    due = sum(t.num_rows for t in recomputed.values())
    is_due = due > 0 or former is None or former["context_digest"] != digest or is_unpublished(run)
    is_due = is_due or bool(overdue(run))
    staged = None
    if is_due:
        inputs = {c.slug: _of(live[c.slug], recomputed[c.document_type]) for c in sources()}
        over = frozenset(c.name for c in published() if c.is_over(started_at))
        decided = {"decisions": context["decisions"]}
        marts = build_marts(inputs, decided, run.settings.lake_root / "staging", over)
        staged = Staged(marts, recomputed, digest, snapshot.position)
    summary = _summary(run, "standardise", started_at, snapshot.position, {"subjects": due}, is_due)
    record(run, [summary])  # before anything waits: a publication that dies leaves a trace of what was due
    if staged is not None:
        staging.write(run, staged)
    return summary


def publish(run: Run) -> Summary:
    """Publish what waits in staging. Raises BatchRefused; then published tables are as they were (P7)."""
    started_at = run.at()
    staged = staging.read(run)
    if staged is None:
        summary = _summary(run, "publish", started_at, ledger.position(run.conn), {}, False)
        record(run, [summary])
        return summary
    verdict = check_gold(staged.tables)
    verdicts = verdict.rows(run.run_id, "gold", run.at())
    counts = {name: table.num_rows for name, table in staged.tables.items()}
    if verdict.is_refused:
        refused = replace(
            _summary(run, "publish", started_at, ledger.position(run.conn), counts, True), verdict="refused"
        )
        record(run, [refused], verdicts)
        raise BatchRefused(
            "The standardised tables fail the gold gate; published tables are unchanged. Look at ops/verdicts for the "
            "expectation and the table, then correct the model or the contract and run again."
        )
    coming = {name for name, table in staged.tables.items() if table.num_rows}
    plans = gold_plans(run, staged) + share_plans(run, coming)
    leaves = commit(run, plans, {"verdict": "passed", "context_digest": staged.context_digest})
    staging.discard(run)
    summary = replace(
        _summary(run, "publish", started_at, staged.ledger_position, counts, bool(leaves)),
        versions={leaf.table: leaf.version for leaf in leaves},
        context_digest=staged.context_digest,
    )
    record(run, [summary], verdicts)
    return summary


def _live(run: Run, contract: Contract, allowed: pa.Table) -> pa.Table:
    """Bronze rows that are covered now and that the holder has not deleted."""
    held = tables.read(run.settings.lake_root, f"bronze/{contract.dataset}", schema=contract.bronze_schema)
    own = allowed.filter(pc.equal(allowed.column("document_type"), contract.document_type))
    rows = covered(contract, held, unite(own, contract))
    return rows.filter(pc.invert(pc.fill_null(rows.column("_is_deleted"), False)))


def _due(
    run: Run, contract: Contract, live: pa.Table, snapshot: ledger.Snapshot, former: Mapping[str, Any] | None
) -> pa.Table:
    """Subjects to recompute; all of them where other code than today's published last."""
    held = gold_rows(run, gold(contract.published))
    if former is None or former["code_hash"] != run.code_hash:
        due = [live, held]
    else:
        moved = moved_subjects(live, held, snapshot, contract.document_type, former["ledger_position"])
        due = [changed_subjects(live, held), moved]
    return pa.table({"_subject_key": pc.unique(pa.concat_arrays([t["_subject_key"].combine_chunks() for t in due]))})


def _of(rows: pa.Table, subjects: pa.Table) -> pa.Table:
    return rows.filter(
        pc.is_in(rows.column("_subject_key"), value_set=subjects.column("_subject_key").combine_chunks())
    )


def _context(run: Run, snapshot: ledger.Snapshot, allowed: pa.Table, at: datetime) -> dict[str, pa.Table]:
    """What bundles and counts come from, besides the evidence that is recomputed: it tells whether they are due."""
    explained = gate.explained(snapshot, at)
    needed = bundles.requirements(snapshot.applications, snapshot.papers, allowed, explained)
    known = evidence(run, needed)
    stale = known.filter(pc.less(known.column("fresh_until"), f"{seoul_date(at):%Y%m%d}"))
    return {
        "requirements": needed,
        "asked": asked(run, needed),
        "stale": stale.select(["document_type", "_evidence_id"]).sort_by("_evidence_id"),
        "decisions": decisions(run),
        "papers": agreement(run),
    }


def gold_plans(run: Run, staged: Staged) -> list[Plan]:
    """Lines and former versions before the documents that they belong to (`changed_subjects`), bundles after all."""

    def recomputed_rows(contract: Contract, current: Current) -> Change | None:
        held = current.read()
        own, recomputed = current.allowed_of(contract), staged.recomputed[contract.document_type]
        return changed(held, replaced(contract, held, staged.tables[contract.name], recomputed, own))

    def whole(rows: pa.Table, current: Current) -> Change | None:
        return whole_if_changed(current.read(), rows)

    idle = {
        name
        for name, t in staged.tables.items()
        if not t.num_rows and tables.is_empty(run.settings.lake_root, f"gold/{name}")
    }
    in_order = sorted((c for c in documents() if c.name not in idle), key=_last_the_documents_of_today)
    plans = [gold_plan(c, partial(recomputed_rows, c)) for c in in_order]
    of_now: dict[str, Compute] = {
        bundles.BUNDLES: bundle_compute(run),
        AGREEMENT: agreement_compute(run),
        statutes.PUBLISHED: partial(whole, statutes.published_rows()),
    }
    for c in about_no_document():
        compute = of_now[c.name] if c.name in of_now else partial(whole, staged.tables[c.name])
        plans.append(Plan(f"gold/{c.name}", c.gold_schema, compute, partitioned=False))
    return plans


def _last_the_documents_of_today(contract: Contract) -> tuple[bool, bool, str]:
    return contract.group is None and not contract.is_former, contract.group is None, contract.name


def _summary(
    run: Run, verb: str, started_at: datetime, position: int, counts: Mapping[str, int], is_changed: bool
) -> Summary:
    return Summary(
        run_id=run.run_id,
        verb=verb,
        dataset=None,
        started_at=started_at,
        finished_at=run.at(),
        verdict="passed" if is_changed else "unchanged",
        ledger_position=position,
        code_hash=run.code_hash,
        counts=counts,
    )
