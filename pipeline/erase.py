"""Erase what nothing covers any more: from every table, then from every old version, file and staging folder.

In: the gate of now. Out: tables without the uncovered rows and columns; what went is then taken away for good and
certified (`pipeline.purging`). Its own path: dbt has no part in it, and no quality verdict delays it (P4, P5, P7).
"""

from collections.abc import Mapping, Sequence
from functools import partial

from consent import erasures, gate, ledger
from hanbeon.errors import IntegrityError
from lake import layout, tables
from pipeline import deadline, home_scan, staging
from pipeline.bronze import quarantine_schema
from pipeline.bundles import BUNDLES
from pipeline.commit import Change, Current, Plan, commit
from pipeline.coverage import covered, unite
from pipeline.expiring import end_ledger_terms, expire_accesses
from pipeline.ledger_copy import copy_ledger
from pipeline.operations import record
from pipeline.pull import changed
from pipeline.purging import Done, begin, finish_erasures, take_away
from pipeline.residue import Residue
from pipeline.run import Run
from pipeline.sharing import bundle_compute, documents, gold_plan, is_share_idle, share_compute, share_plan, shares
from pipeline.summary import Summary
from pipeline.telling import carry
from schemas.contract import Contract, gold, published, sources


def erase(run: Run, is_now: bool = False) -> Summary:
    """Remove everything that no authorisation and approval cover now. Raises IntegrityError if a residue is found.

    `is_now` clears PostgreSQL's dead rows too, and looks through the whole home for the values that went. The day
    before the deadline that happens by itself.
    """
    started_at = run.at()
    is_now = is_now or deadline.is_due(run)
    ledger.expire_due(run.conn, started_at)
    copy_ledger(run)
    expired = {"access_records_erased": expire_accesses(run), "ledger_payloads_erased": end_ledger_terms(run)}
    earlier = finish_erasures(run, is_now)
    with erasures.alone(run.conn):
        residue = Residue()
        versions = {leaf.table: leaf.version for leaf in commit(run, _plans(run, residue), {"verb": "erase"})}
        staging.discard(run)
        done = take_away(run, begin(run, residue, is_now))
    told = carry(run)
    findings = [finding for one in (*earlier, done) for finding in one.findings]
    has_done = bool(earlier or versions or done.files_removed or done.forgotten or any(expired.values()))
    summary = Summary(
        run_id=run.run_id,
        verb="erase",
        dataset=None,
        started_at=started_at,
        finished_at=run.at(),
        verdict="failed" if findings else "passed" if has_done else "unchanged",
        ledger_position=ledger.position(run.conn),
        code_hash=run.code_hash,
        counts=_counts([*earlier, done], findings) | dict(told.counts()) | expired,
        withheld=_withheld(run),
        versions=versions,
    )
    record(run, [summary])
    if findings:
        raise IntegrityError(home_scan.sentence(findings))
    return summary


def _counts(every: Sequence[Done], findings: Sequence[home_scan.Finding]) -> dict[str, int]:
    """What this erasure took away, the last of `every`; a certificate may be of an earlier one that was ended."""
    done = every[-1]
    return {
        "rows_removed": sum(loss.removed for loss in done.losses),
        "rows_narrowed": sum(loss.narrowed for loss in done.losses),
        "tables_purged": done.tables_purged,
        "residue": len(findings),
        "certificate": max(one.certificate or 0 for one in every),
        "forgotten": done.forgotten or 0,
        "forgotten_later": int(done.forgotten is None),
    }


def _withheld(run: Run) -> Mapping[str, int]:
    """Why what does not flow does not: rows of authorisations by reason, over all documents."""
    total: dict[str, int] = {}
    for row in gate.withheld(ledger.snapshot(run.conn), run.at()).to_pylist():
        total[row["reason"]] = total.get(row["reason"], 0) + int(row["count"])
    return total


def _plans(run: Run, residue: Residue) -> list[Plan]:
    """Bronze and quarantine, gold, bundles, shares: each table that holds or points to a person's row.

    A table that holds none is left alone: what a writer adds to it meanwhile passes the gate of that commit.
    """
    root, plans = run.settings.lake_root, []
    for contract in sources():
        for kind, schema in (("bronze", contract.bronze_schema), ("quarantine", quarantine_schema(contract))):
            table = f"{kind}/{contract.dataset}"
            if not tables.is_empty(root, table):
                plans.append(Plan(table, schema, partial(_cover, contract, table, residue), partitioned=True))
    for contract in documents():
        table = f"gold/{contract.name}"
        if not tables.is_empty(root, table):
            plans.append(gold_plan(contract, partial(_cover, contract, table, residue)))
    schema = gold(BUNDLES).gold_schema
    plans.append(Plan(f"gold/{BUNDLES}", schema, bundle_compute(run), partitioned=False))
    for recipient, contract in shares():
        if is_share_idle(run, recipient, contract):
            continue
        table = f"shares/{recipient}/{contract.name}"
        plans.append(_share_plan(run, contract, recipient, table, residue))
    return plans + _orphans(run, residue)


def _orphans(run: Run, residue: Residue) -> list[Plan]:
    """Tables that no contract or service names any more: nothing says what may stand there, so nothing may (P1)."""
    root, plans = run.settings.lake_root, []
    known = {f"gold/{c.name}" for c in published()} | {f"shares/{recipient}/{c.name}" for recipient, c in shares()}
    made = (name for name in layout.table_names(root) if name.partition("/")[0] in ("gold", "shares"))
    for name in (name for name in made if name not in known):
        handle = tables.open_table(root, name)
        if handle is not None and tables.active_files(handle):
            schema = tables.schema_of(handle)
            plans.append(Plan(name, schema, partial(_empty, name, residue), layout.PARTITION in schema.names))
    return plans


def _empty(table: str, residue: Residue, current: Current) -> Change | None:
    held = current.read()
    residue.note(table, held, held.slice(0, 0))
    return Change(held.slice(0, 0), None) if held.num_rows else None


def _cover(contract: Contract, table: str, residue: Residue, current: Current) -> Change | None:
    held = current.read()
    kept = covered(contract, held, unite(current.allowed_of(contract), contract))
    change = changed(held, kept)
    residue.note(table, held, held if change is None else kept)
    return change


def _share_plan(run: Run, contract: Contract, recipient: str, table: str, residue: Residue) -> Plan:
    compute = share_compute(run, contract, recipient)

    def counted(current: Current) -> Change | None:
        change = compute(current)
        held = current.read()
        residue.note(table, held, held if change is None else change.data)
        return change

    return share_plan(contract, recipient, counted)
