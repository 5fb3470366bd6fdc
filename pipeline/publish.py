"""Standardise what changed, then publish it: write, audit, publish.

`standardise` recomputes the subjects whose evidence in gold is not what bronze says, through dbt, and leaves the
result waiting in staging. `publish` passes it through the gold quality gate, asks the consent gate again, and commits
gold and every recipient's share; the pointer moves once. Steps 6 and 7 of a record's walk (README).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from consent import gate, ledger, vault
from hanbeon.errors import BatchRefused
from lake import tables
from pipeline import bundles, staging
from pipeline.commit import Change, Current, Plan, commit
from pipeline.coverage import covered, unite
from pipeline.gold import changed_subjects, replaced, share, share_schema
from pipeline.ledger_copy import copy_ledger, decisions
from pipeline.operations import last_published, record
from pipeline.pull import changed
from pipeline.run import Run
from pipeline.staging import Staged
from pipeline.standardise import standardise as build_marts
from pipeline.summary import Summary
from quality.gold import check_gold
from schemas.contract import Contract, gold, published, sources
from schemas.services import recipients, services


def documents(contracts: tuple[Contract, ...] | None = None) -> list[Contract]:
    """Published tables that hold evidence: parents and their lines, not the tables about no document."""
    return [c for c in contracts or published() if "documentType" in c.properties]


def about_no_document() -> list[Contract]:
    """`service_bundles` and `documents_replaced`: replaced whole by each publication."""
    return [c for c in published() if "documentType" not in c.properties]


def standardise(run: Run) -> Summary:
    """Leave in staging what publication needs; nothing when nothing changed. Raises StandardiseFailed."""
    started_at = run.at()
    copy_ledger(run)
    snapshot = ledger.snapshot(run.conn)
    allowed = gate.allowed(snapshot, started_at)
    live = {c.slug: _live(run, c, allowed) for c in sources()}
    recomputed = {c.document_type: _due(run, c, live[c.slug]) for c in sources()}
    context = _context(run, snapshot, allowed, recomputed, started_at)
    digest = bundles.digest({n: t for n, t in context.items() if n != "retained_evidence"}) + run.code_hash
    former = last_published(run)
    is_new_code = former is None or former["code_hash"] != run.code_hash
    if is_new_code:
        recomputed = {c.document_type: _everyone(run, c, live[c.slug]) for c in sources()}
        context = _context(run, snapshot, allowed, recomputed, started_at)
    due = sum(t.num_rows for t in recomputed.values())
    is_due = due > 0 or former is None or former["context_digest"] != digest
    if is_due:
        inputs = {c.slug: _of(live[c.slug], recomputed[c.document_type]) for c in sources()}
        marts = build_marts(inputs, context, run.settings.lake_root / "staging")
        staging.write(run, Staged(marts, recomputed, digest))
    else:
        staging.discard(run)
    summary = _summary(run, "standardise", started_at, snapshot.position, {"subjects": due}, is_due)
    record(run, [summary])
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
        refused = replace(_summary(run, "publish", started_at, ledger.position(run.conn), counts, True), verdict="refused")
        record(run, [refused], verdicts)
        raise BatchRefused(
            "The standardised tables fail the gold gate; published tables are unchanged. Look at ops/verdicts for the "
            "expectation and the table, then correct the model or the contract and run again."
        )
    plans = _gold_plans(staged) + _share_plans(run)
    leaves = commit(run, plans, {"verdict": "passed", "context_digest": staged.context_digest})
    staging.discard(run)
    position = max([leaf.ledger_position for leaf in leaves], default=ledger.position(run.conn))
    summary = replace(
        _summary(run, "publish", started_at, position, counts, bool(leaves)),
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


def _gold(run: Run, contract: Contract) -> pa.Table:
    return tables.read(run.settings.lake_root, f"gold/{contract.name}", schema=contract.gold_schema)


def _due(run: Run, contract: Contract, live: pa.Table) -> pa.Table:
    return changed_subjects(live, _gold(run, gold(contract.published)))


def _everyone(run: Run, contract: Contract, live: pa.Table) -> pa.Table:
    keys = [t.column("_subject_key").combine_chunks() for t in (live, _gold(run, gold(contract.published)))]
    return pa.table({"_subject_key": pc.unique(pa.concat_arrays(keys))})


def _of(rows: pa.Table, subjects: pa.Table) -> pa.Table:
    return rows.filter(pc.is_in(rows.column("_subject_key"), value_set=subjects.column("_subject_key").combine_chunks()))


def _context(
    run: Run, snapshot: ledger.Snapshot, allowed: pa.Table, recomputed: Mapping[str, pa.Table], at: datetime
) -> dict[str, pa.Table]:
    """What dbt needs besides bronze: open applications, their requirements, evidence that stays, decisions."""
    explained = gate.explained(snapshot, at)
    return {
        "applications": snapshot.applications.select(["application_id", "state"]).sort_by("application_id"),
        "requirements": bundles.requirements(snapshot.applications, snapshot.papers, allowed, explained),
        "retained_evidence": _retained(run, allowed, recomputed),
        "decisions": decisions(run),
    }


def _retained(run: Run, allowed: pa.Table, recomputed: Mapping[str, pa.Table]) -> pa.Table:
    fields = ["_subject_key", "_variant", "_evidence_id", "_authorisation_id", "_observed_at"]
    kept = []
    for contract in sources():
        table = gold(contract.published)
        own = allowed.filter(pc.equal(allowed.column("document_type"), contract.document_type))
        rows = covered(table, _gold(run, table), unite(own, table))
        gone = recomputed[contract.document_type].column("_subject_key").combine_chunks()
        rows = rows.filter(pc.invert(pc.is_in(rows.column("_subject_key"), value_set=gone))).select(fields)
        types = pa.array([contract.document_type] * rows.num_rows, pa.string())
        kept.append(rows.add_column(0, "document_type", types))
    return pa.concat_tables(kept)


def _gold_plans(staged: Staged) -> list[Plan]:
    def evidence(contract: Contract, current: Current) -> Change | None:
        held = current.read()
        own = current.allowed.filter(pc.equal(current.allowed.column("document_type"), contract.document_type))
        recomputed = staged.recomputed[contract.document_type]
        return changed(held, replaced(contract, held, staged.tables[contract.name], recomputed, own))

    def whole(contract: Contract, current: Current) -> Change | None:
        return whole_if_changed(current.read(), staged.tables[contract.name])

    return [
        Plan(f"gold/{c.name}", c.gold_schema, partial(evidence, c), partitioned=True) for c in documents()
    ] + [Plan(f"gold/{c.name}", c.gold_schema, partial(whole, c), partitioned=False) for c in about_no_document()]


def whole_if_changed(held: pa.Table, wanted: pa.Table) -> Change | None:
    """The change that makes an unpartitioned table what is wanted; None if it already is."""
    order = [(name, "ascending") for name in held.schema.names if not pa.types.is_nested(held.schema.field(name).type)]
    if held.sort_by(order).equals(wanted.cast(held.schema).sort_by(order)):
        return None
    return Change(wanted.cast(held.schema), None)


def _share_plans(run: Run) -> list[Plan]:
    """One plan for each recipient and each table of a document that some service of the recipient needs."""
    return [
        Plan(
            f"shares/{recipient}/{contract.name}",
            share_schema(contract, recipient),
            share_compute(run, contract, recipient),
            partitioned=False,
        )
        for recipient, contract in shares()
    ]


@dataclass(frozen=True)
class _Need:
    recipient: str
    document_type: str


def shares() -> list[tuple[str, Contract]]:
    """(recipient, published table) for every share that exists; a group without a needed column has none."""
    needs = {_Need(s.recipient, r.document_type) for s in services() for r in s.data_requirements}
    return [
        (recipient.id, contract)
        for recipient in recipients()
        for contract in documents()
        if _Need(recipient.id, contract.document_type) in needs
        and len(share_schema(contract, recipient.id)) > len(share_schema(contract, ""))
    ]


def share_compute(run: Run, contract: Contract, recipient: str) -> Callable[[Current], Change | None]:
    """A share is what gold holds now, seen by one recipient under the gate of now."""

    def compute(current: Current) -> Change | None:
        own = current.allowed.filter(pc.equal(current.allowed.column("document_type"), contract.document_type))
        hashes = partial(vault.keyed_hashes, run.secrets)
        return whole_if_changed(current.read(), share(contract, _gold(run, contract), own, recipient, hashes))

    return compute


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


