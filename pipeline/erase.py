"""Erase what nothing covers any more: from every table, then from every old version, file and staging folder.

In: the gate of now. Out: tables without the uncovered rows and columns, purged of the versions that still held them,
and a byte scan that says so. Its own path: dbt has no part in it, and no quality verdict delays it (P4, P5, P7).
"""

from collections.abc import Mapping
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from consent import gate, ledger
from hanbeon.errors import IntegrityError
from lake import erase as lake_erase
from pipeline import staging
from pipeline.bronze import quarantine_schema
from pipeline.commit import Change, Current, Plan, commit, purge_tables
from pipeline.coverage import covered, unite
from pipeline.gold import share_schema
from pipeline.ledger_copy import copy_ledger
from pipeline.operations import append_plan, record
from pipeline.pull import changed
from pipeline.residue import Loss, Residue
from pipeline.run import Run
from pipeline.sharing import bundle_compute, documents, share_compute, shares
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
    residue = Residue()
    plans = _plans(run, residue)
    versions = {leaf.table: leaf.version for leaf in commit(run, plans, {"verb": "erase"})}
    staging.discard(run)
    purged = purge_tables(run, [plan.table for plan in plans])
    findings = lake_erase.scan(run.settings.lake_root, residue.needles)
    lost = {table: loss for table, loss in residue.losses.items() if table in versions}
    position = ledger.position(run.conn)
    _certify(run, lost, versions, position, len(residue.needles), len(findings))
    summary = Summary(
        run_id=run.run_id,
        verb="erase",
        dataset=None,
        started_at=started_at,
        finished_at=run.at(),
        verdict="failed" if findings else "passed" if versions or purged else "unchanged",
        ledger_position=position,
        code_hash=run.code_hash,
        counts={
            "rows_removed": sum(loss.removed for loss in lost.values()),
            "rows_narrowed": sum(loss.narrowed for loss in lost.values()),
            "tables_purged": len(purged),
            "residue": len(findings),
        },
        withheld=_withheld(run),
        versions=versions,
    )
    record(run, [summary])
    if findings:
        raise IntegrityError(
            f"{len(findings)} files still hold erased evidence, the first is {findings[0].path}. Run "
            "`hanbeon recover`, then erase again; until then the erasure is not done."
        )
    return summary


def _withheld(run: Run) -> Mapping[str, int]:
    """Why what does not flow does not: rows of authorisations by reason, over all documents."""
    total: dict[str, int] = {}
    for row in gate.withheld(ledger.snapshot(run.conn), run.at()).to_pylist():
        total[row["reason"]] = total.get(row["reason"], 0) + int(row["count"])
    return total


def _certify(
    run: Run, lost: Mapping[str, Loss], versions: Mapping[str, int], position: int, needles: int, residue: int
) -> None:
    """Append what each table lost, and what the scan found, to `ops/erasures`."""
    rows = [
        {
            "run_id": run.run_id,
            "table": table,
            "erased_at": run.at(),
            "ledger_position": position,
            "rows_removed": loss.removed,
            "rows_narrowed": loss.narrowed,
            "version": versions[table],
            "needles": needles,
            "residue": residue,
        }
        for table, loss in lost.items()
    ]
    plan = append_plan(ERASURES, pa.Table.from_pylist(rows, schema=ERASURES_SCHEMA), ("run_id", "table", "version"))
    commit(run, [plan], {"verb": "erase"})


def _plans(run: Run, residue: Residue) -> list[Plan]:
    """Bronze and quarantine, gold, bundles, shares: each table that holds or points to a person's row."""
    plans = []
    for contract in sources():
        for kind, schema in (("bronze", contract.bronze_schema), ("quarantine", quarantine_schema(contract))):
            table = f"{kind}/{contract.dataset}"
            plans.append(Plan(table, schema, partial(_cover, contract, table, residue), partitioned=True))
    for contract in documents():
        table = f"gold/{contract.name}"
        plans.append(Plan(table, contract.gold_schema, partial(_cover, contract, table, residue), partitioned=True))
    schema = gold("service_bundles").gold_schema
    plans.append(Plan(BUNDLES, schema, bundle_compute(run), partitioned=False))
    for recipient, contract in shares():
        table = f"shares/{recipient}/{contract.name}"
        plans.append(_share_plan(run, contract, recipient, table, residue))
    return plans


def _cover(contract: Contract, table: str, residue: Residue, current: Current) -> Change | None:
    held = current.read()
    own = current.allowed.filter(pc.equal(current.allowed.column("document_type"), contract.document_type))
    kept = covered(contract, held, unite(own, contract))
    residue.note(table, held, kept)
    return changed(held, kept)


def _share_plan(run: Run, contract: Contract, recipient: str, table: str, residue: Residue) -> Plan:
    compute = share_compute(run, contract, recipient)

    def counted(current: Current) -> Change | None:
        change = compute(current)
        held = current.read()
        residue.note(table, held, held if change is None else change.data)
        return change

    return Plan(table, share_schema(contract, recipient), counted, partitioned=False)
