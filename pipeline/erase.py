"""Erase what nothing covers any more: from every table, then from every old version, file and staging folder.

In: the gate of now. Out: tables without the uncovered rows and columns, purged of the versions that still held them,
and a byte scan that says so. Its own path: dbt has no part in it, and no quality verdict delays it (P4, P5, P7).
"""

from dataclasses import replace
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from consent import gate, ledger
from hanbeon.errors import IntegrityError
from lake import erase as lake_erase
from pipeline import bundles, staging
from pipeline.bronze import quarantine_schema
from pipeline.commit import Change, Current, Plan, commit, purge_tables
from pipeline.coverage import covered, unite
from pipeline.gold import share_schema
from pipeline.ledger_copy import copy_ledger
from pipeline.operations import append_plan, record
from pipeline.publish import documents, share_compute, shares
from pipeline.pull import changed
from pipeline.run import Run
from pipeline.summary import Summary
from schemas.contract import Contract, gold, sources

ERASURES = "ops/erasures"
ERASURES_SCHEMA = pa.schema(
    [
        pa.field("run_id", pa.string()),
        pa.field("table", pa.string()),
        pa.field("erased_at", pa.timestamp("us", tz="UTC")),
        pa.field("ledger_position", pa.int64()),
        pa.field("rows_removed", pa.int64()),
        pa.field("rows_narrowed", pa.int64()),
        pa.field("version", pa.int64()),
        pa.field("needles", pa.int64()),
        pa.field("residue", pa.int64()),
    ]
)
BUNDLES = "gold/service_bundles"


def erase(run: Run) -> Summary:
    """Remove everything that no authorisation and approval cover now. Raises IntegrityError if a residue is found."""
    started_at = run.at()
    ledger.expire_due(run.conn, started_at)
    copy_ledger(run)
    erased: dict[str, _Erased] = {}
    plans = _plans(run, erased)
    leaves = {leaf.table: leaf for leaf in commit(run, plans, {"verb": "erase"})}
    staging.discard(run)
    purged = purge_tables(run, [plan.table for plan in plans])
    needles = sorted({n for e in erased.values() for n in e.needles})
    findings = lake_erase.scan(run.settings.lake_root, needles)
    position = ledger.position(run.conn)
    rows = [
        {
            "run_id": run.run_id,
            "table": table,
            "erased_at": run.at(),
            "ledger_position": position,
            "rows_removed": e.removed,
            "rows_narrowed": e.narrowed,
            "version": leaves[table].version,
            "needles": len(e.needles),
            "residue": len(findings),
        }
        for table, e in erased.items()
        if table in leaves
    ]
    plan = append_plan(ERASURES, pa.Table.from_pylist(rows, schema=ERASURES_SCHEMA), ("run_id", "table"))
    commit(run, [plan], {"verb": "erase"})
    summary = Summary(
        run_id=run.run_id,
        verb="erase",
        dataset=None,
        started_at=started_at,
        finished_at=run.at(),
        verdict="passed" if leaves or purged else "unchanged",
        ledger_position=position,
        code_hash=run.code_hash,
        counts={
            "rows_removed": sum(e.removed for e in erased.values()),
            "rows_narrowed": sum(e.narrowed for e in erased.values()),
            "tables_purged": len(purged),
            "residue": len(findings),
        },
        versions={leaf.table: leaf.version for leaf in leaves.values()},
    )
    if findings:
        record(run, [replace(summary, verdict="failed")])
        raise IntegrityError(
            f"{len(findings)} files still hold erased evidence, the first is {findings[0].path}. Run `hanbeon recover`, "
            "then erase again; until then the erasure is not done."
        )
    record(run, [summary])
    return summary


class _Erased:
    """What one table lost: counts, and ids that must be found nowhere in it afterwards."""

    def __init__(self, held: pa.Table, kept: pa.Table) -> None:
        before = set(held.column("_evidence_id").to_pylist())
        after = set(kept.column("_evidence_id").to_pylist())
        self.removed = held.num_rows - kept.num_rows
        self.narrowed = _narrowed(held, kept)
        self.needles = frozenset(before - after)


def _narrowed(held: pa.Table, kept: pa.Table) -> int:
    """Rows that stay, but with fewer values than before."""
    order = [("_evidence_id", "ascending")] + ([("_line_no", "ascending")] if "_line_no" in held.schema.names else [])
    staying = held.filter(pc.is_in(held.column("_evidence_id"), value_set=kept.column("_evidence_id").combine_chunks()))
    if staying.num_rows != kept.num_rows:
        return 0
    pairs = zip(staying.sort_by(order).to_pylist(), kept.sort_by(order).to_pylist(), strict=True)
    return sum(
        any(old[n] is not None and new[n] is None for n in held.schema.names) or _has_fewer_in_lines(old, new)
        for old, new in pairs
        if old != new
    )


def _has_fewer_in_lines(old: dict[str, object], new: dict[str, object]) -> bool:
    return any(isinstance(v, list) and v != new[k] for k, v in old.items())


def _plans(run: Run, erased: dict[str, _Erased]) -> list[Plan]:
    """Bronze and quarantine, gold, bundles, shares: each table that holds or points to a person's row."""
    plans = []
    for contract in sources():
        for kind, schema in (("bronze", contract.bronze_schema), ("quarantine", quarantine_schema(contract))):
            table = f"{kind}/{contract.dataset}"
            plans.append(Plan(table, schema, partial(_cover, contract, table, erased), partitioned=True))
    for contract in documents():
        table = f"gold/{contract.name}"
        plans.append(Plan(table, contract.gold_schema, partial(_cover, contract, table, erased), partitioned=True))
    schema = gold("service_bundles").gold_schema
    plans.append(Plan(BUNDLES, schema, partial(_uncover_bundles, run), partitioned=False))
    for recipient, contract in shares():
        table = f"shares/{recipient}/{contract.name}"
        plans.append(_share_plan(run, contract, recipient, table, erased))
    return plans


def _cover(contract: Contract, table: str, erased: dict[str, _Erased], current: Current) -> Change | None:
    held = current.read()
    own = current.allowed.filter(pc.equal(current.allowed.column("document_type"), contract.document_type))
    kept = covered(contract, held, unite(own, contract))
    change = changed(held, kept)
    if change is not None:
        erased[table] = _Erased(held, kept)
    return change


def _uncover_bundles(run: Run, current: Current) -> Change | None:
    """Rows of closed applications leave; evidence that the application's authorisation no longer covers is let go."""
    held = current.read()
    snapshot = current.snapshot
    explained = gate.explained(snapshot, run.at())
    needed = bundles.requirements(snapshot.applications, snapshot.papers, current.allowed, explained).to_pylist()
    reasons = {(n["application_id"], n["document_type"]): n["reason"] for n in needed}
    rows = [row for row in held.to_pylist() if (row["APLY_NO"], row["RQDOC_CD"]) in reasons]
    lost = {
        (row["APLY_NO"], row["RQDOC_CD"])
        for row in rows
        if row["_evidence_id"] is not None and reasons[row["APLY_NO"], row["RQDOC_CD"]] is not None
    }
    incomplete = {application for application, _ in lost}
    wanted = [
        row
        | (_emptied(reasons[row["APLY_NO"], row["RQDOC_CD"]]) if (row["APLY_NO"], row["RQDOC_CD"]) in lost else {})
        | ({"BNDL_CMPTN_YN": "N"} if row["APLY_NO"] in incomplete else {})
        for row in rows
    ]
    table = pa.Table.from_pylist(wanted, schema=held.schema)
    return None if table.equals(held) else Change(table, None)


def _emptied(reason: str) -> dict[str, object]:
    return {
        "_evidence_id": None,
        "_authorisation_id": None,
        "_observed_at": None,
        "RQDOC_STTS_NM": "no_authorisation",
        "RQDOC_STTS_RSN": reason,
    }


def _share_plan(run: Run, contract: Contract, recipient: str, table: str, erased: dict[str, _Erased]) -> Plan:
    compute = share_compute(run, contract, recipient)

    def counted(current: Current) -> Change | None:
        change = compute(current)
        if change is not None:
            erased[table] = _Erased(current.read(), change.data)
        return change

    return Plan(table, share_schema(contract, recipient), counted, partitioned=False)
