"""Pull one dataset: gate, holder, keys, quality gate, commit.

In: a dataset name and a `Run`. Out: a `Summary`, with bronze and quarantine brought up to date by the write protocol.
Steps 2 to 5 of a record's walk (README). A refused batch changes nothing but `ops/verdicts` and `ops/runs` (P7).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from consent import gate, ledger, uses, vault
from consent.journal import Leaf, PullState, pull_state
from hanbeon.errors import BatchRefused, UsageError
from lake import layout, tables
from pipeline.bringing import came, tell, uses_of
from pipeline.bronze import merge, newest, quarantine_schema, quarantined, revived, tombstones
from pipeline.commit import Change, Current, Plan, commit
from pipeline.coverage import COVERAGE_SCHEMA, covered, unite
from pipeline.delivered import record_delivery
from pipeline.demand import Demand, Former, demand, steady
from pipeline.disputing import detect
from pipeline.evidence import stale
from pipeline.keying import key_batch
from pipeline.operations import last_pulled_at, record
from pipeline.remarks import judged, remarks
from pipeline.run import Run
from pipeline.summary import Summary
from quality.gate import Verdict, check
from schemas.contract import Contract, sources
from sources import endpoints
from sources.connect import connect
from sources.delivery import DeliveryReport


@dataclass(frozen=True)
class Asked:
    """`allowed` are the gate's rows that the demand rests on; `unasked` counts those that may stand unasked for."""

    demand: Demand
    allowed: pa.Table
    unasked: Mapping[str, int]


@dataclass(frozen=True)
class Pulled:
    """Everything that one delivery brought, keyed and checked."""

    verdict: Verdict
    report: DeliveryReport
    failing: pa.Table


def contract_of(dataset: str) -> Contract:
    """The source contract of `<holder>/<dataset>`. Raises UsageError naming the known ones."""
    for contract in sources():
        if contract.dataset == dataset:
            return contract
    raise UsageError(f"No dataset {dataset}. Known: {', '.join(c.dataset for c in sources())}.")


def pull(run: Run, dataset: str) -> Summary:
    """Bring one dataset up to date. Raises SourceError, SchemaDrift or BatchRefused; then nothing was published."""
    contract = contract_of(dataset)
    started_at = run.at()
    snapshot = ledger.snapshot(run.conn)
    found = _ask(run, contract, snapshot)
    asked = found.demand
    pulled = _fetch(run, contract, asked)
    summary = Summary(
        run_id=run.run_id,
        verb="pull",
        dataset=dataset,
        started_at=started_at,
        finished_at=run.at(),
        verdict="refused" if pulled.verdict.is_refused else "passed",
        ledger_position=snapshot.position,
        code_hash=run.code_hash,
        counts=_counts(asked, pulled),
        withheld=_withheld(run, contract, snapshot, pulled.report, found.unasked),
    )
    delivery = record_delivery(run, contract, pulled.report)
    verdicts = pulled.verdict.rows(run.run_id, f"bronze/{dataset}", run.at())
    if pulled.verdict.is_refused:
        record(run, [summary], verdicts)
        raise _refusal(contract, pulled.verdict)
    own = came(found.allowed, pulled.verdict.good, pulled.failing)
    tell(run, contract, own)  # before the commit: killed after it, nobody would be told
    leaves = _commit(run, contract, asked, pulled, snapshot.position, delivery)
    uses.mark(run.conn, uses_of(own), run.at())
    detect(run, contract)
    summary = replace(
        summary,
        finished_at=run.at(),
        verdict="passed" if leaves else "unchanged",
        versions={leaf.table: leaf.version for leaf in leaves},
    )
    record(run, [summary], verdicts)
    return summary


def _refusal(contract: Contract, verdict: Verdict) -> BatchRefused:
    return BatchRefused(
        f"{contract.dataset}: {verdict.failing.num_rows} of {verdict.row_count} rows fail contract "
        f"{contract.id} {contract.version} ({_worst(verdict)}); more than "
        f"{contract.maximum_failing_share:.0%} is allowed, so the whole batch is refused and published tables are "
        "unchanged. Look at ops/verdicts, then correct the source or the contract."
    )


def _ask(run: Run, contract: Contract, snapshot: ledger.Snapshot) -> Asked:
    """Whom to ask about: what the gate lets flow, less what is not due or was asked for often enough."""
    at = run.at()
    allowed, unasked = uses.askable(gate.allowed(snapshot, at, contract.document_type), snapshot, at)
    coverage = unite(allowed, contract)
    subjects = pc.unique(coverage.column("_subject_key").combine_chunks())
    identifiers = _identifiers(run, contract, subjects)
    made = demand(contract, coverage, identifiers, _former(run, contract, snapshot, allowed))
    return Asked(made, allowed, unasked)


def _identifiers(run: Run, contract: Contract, subjects: pa.Array) -> pa.Table:
    """By what the holder is asked for each subject: the first of the contract's kinds that the vault has of it."""
    found = vault.reveal(run.conn, run.secrets, contract.subject_identifier_kind, subjects)
    for kind in contract.subject_identifier_kinds[1:]:
        left = subjects.filter(pc.invert(pc.is_in(subjects, value_set=found.column("_subject_key").combine_chunks())))
        found = pa.concat_tables([found, vault.reveal(run.conn, run.secrets, kind, left)])
    return found


def _former(run: Run, contract: Contract, snapshot: ledger.Snapshot, allowed: pa.Table) -> Former:
    """What the last complete pull asked, and which of it rests on authorisations and approvals unmoved since.

    Of whom nothing is held that may still stand for the paper, the holder is asked as if for the first time.
    """
    state = pull_state(run.conn, contract.dataset)
    if state is None:
        nothing = COVERAGE_SCHEMA.empty_table()
        return Former(None, nothing, nothing)
    since = last_pulled_at(run, contract.dataset)
    unmoved = steady(allowed, snapshot, contract.document_type, state.ledger_position, since)
    is_over = pc.is_in(state.coverage.column("_subject_key"), value_set=stale(run, contract))
    return Former(state.watermark, state.coverage.filter(pc.invert(is_over)), unite(unmoved, contract))


def _fetch(run: Run, contract: Contract, asked: Demand) -> Pulled:
    places = endpoints.read(run.settings.agencies_path / endpoints.FILE_NAME)
    delivery = connect(contract, asked.request, places, run.settings.sources)
    batches, counted = [], Counter[tuple[str, bool]]()
    for batch in delivery.batches():
        delivered = pa.Table.from_batches([batch])
        counted.update(judged(contract, delivered))
        batches.append(_keyed(run, contract, delivered))
    keyed = pa.concat_tables(batches) if batches else contract.bronze_schema.empty_table()
    rows = newest(covered(contract, keyed, asked.coverage))
    live = rows.filter(pc.invert(rows.column("_is_deleted")))
    verdict = check(live, contract, _covered_of_each(live, asked))
    failing = verdict.failing.cast(quarantine_schema(contract))
    deleted = rows.filter(rows.column("_is_deleted"))
    good = pa.concat_tables([verdict.good.cast(contract.bronze_schema), deleted])
    noted = (*verdict.notes, *remarks(contract, counted))
    return Pulled(replace(verdict, good=good, notes=noted), delivery.report, failing)


def _keyed(run: Run, contract: Contract, delivered: pa.Table) -> pa.Table:
    return key_batch(
        contract,
        delivered,
        run_id=run.run_id,
        pulled_at=run.at(),
        key_buckets=lambda keys: layout.key_bucket(keys, run.settings.lake.key_buckets),
        keys=lambda kind, ids: vault.keys(run.conn, run.secrets, kind, ids, run.at()),
        hashes=lambda purpose, values: vault.keyed_hashes(run.secrets, purpose, values),
    )


def _covered_of_each(rows: pa.Table, asked: Demand) -> list[frozenset[str]]:
    """The columns asked for each row, so that a required column is only required where it was asked."""
    request = asked.request
    sets = dict(zip(_pairs(request.table, "variant"), request.table.column("column_set").to_pylist(), strict=True))
    return [request.column_sets[sets[pair]] for pair in _pairs(rows, "_variant")]


def _pairs(rows: pa.Table, variant: str) -> list[tuple[int, str]]:
    return list(zip(rows.column("_subject_key").to_pylist(), rows.column(variant).to_pylist(), strict=True))


def _commit(
    run: Run, contract: Contract, asked: Demand, pulled: Pulled, position: int, delivery: int | None
) -> list[Leaf]:
    good, failing, report = pulled.verdict.good, pulled.failing, pulled.report

    def coverage_now(current: Current) -> pa.Table:
        allowed = current.allowed.filter(pc.equal(current.allowed.column("document_type"), contract.document_type))
        return unite(allowed, contract)

    def bronze(current: Current) -> Change | None:
        held = current.read()
        incoming = good
        if contract.deletes == "absence" and report.is_complete:
            delivered = pa.concat_tables([good, failing.select(good.schema.names)])
            seen = asked.request.table.select(["_subject_key"])
            seen = seen.filter(pc.invert(pc.is_in(seen.column("_subject_key"), value_set=withheld)))
            hashes = partial(vault.keyed_hashes, run.secrets)
            gone = tombstones(contract, held, delivered, seen, run.at(), run.run_id, hashes)
            incoming = pa.concat_tables([good, gone])
            return changed(held, merge(contract, revived(held, good), incoming, coverage_now(current)))
        return changed(held, merge(contract, held, incoming, coverage_now(current)))

    def quarantine(current: Current) -> Change | None:
        held = current.read()
        return changed(held, quarantined(contract, held, failing, good, coverage_now(current)))

    # A record that could not be read is asked for again, whole, until it can be.
    withheld = pa.array(sorted(report.withheld_subjects), pa.int64())
    answered = asked.coverage.filter(pc.invert(pc.is_in(asked.coverage.column("_subject_key"), value_set=withheld)))
    state = PullState(contract.dataset, report.watermark, position, answered)
    metadata = {
        "contract": contract.id,
        "contract_version": contract.version,
        "contract_digest": contract.digest,
        "verdict": "passed",
        "watermark": report.watermark or "",
    }
    aside = f"quarantine/{contract.dataset}"
    is_idle = not failing.num_rows and tables.is_empty(run.settings.lake_root, aside)
    put_aside = Plan(aside, quarantine_schema(contract), quarantine, partitioned=True, delivery=delivery)
    plans = [
        *([] if is_idle else [put_aside]),
        Plan(
            f"bronze/{contract.dataset}",
            contract.bronze_schema,
            bronze,
            partitioned=True,
            also=state,
            delivery=delivery,
        ),
    ]
    return commit(run, plans, metadata)


def changed(held: pa.Table, wanted: pa.Table) -> Change | None:
    """The change that makes a partitioned table what is wanted: only the buckets that differ; None if none does."""
    order = [("_evidence_id", "ascending")] + ([("_line_no", "ascending")] if "_line_no" in held.schema.names else [])
    buckets = sorted(
        b
        for b in pc.unique(pa.concat_tables([held, wanted]).column("_key_bucket")).to_pylist()
        if not _bucket(held, b).sort_by(order).equals(_bucket(wanted, b).sort_by(order))
    )
    if not buckets:
        return None
    is_changed = pc.is_in(wanted.column("_key_bucket"), value_set=pa.array(buckets, pa.int32()))
    return Change(wanted.filter(is_changed), tuple(buckets))


def _bucket(table: pa.Table, bucket: int) -> pa.Table:
    return table.filter(pc.equal(table.column("_key_bucket"), bucket))


def _counts(asked: Demand, pulled: Pulled) -> Mapping[str, int]:
    return {
        "asked": asked.request.table.num_rows,
        "received": pulled.report.received,
        "good": pulled.verdict.good.num_rows,
        "quarantined": pulled.failing.num_rows,
    }


def _withheld(
    run: Run, contract: Contract, snapshot: ledger.Snapshot, report: DeliveryReport, unasked: Mapping[str, int]
) -> Mapping[str, int]:
    """Everything that did not flow, by reason: the gate's, not asked again, dropped or withheld at the source."""
    by_gate = {
        row["reason"]: int(row["count"])
        for row in gate.withheld(snapshot, run.at()).to_pylist()
        if row["document_type"] == contract.document_type
    }
    total: dict[str, int] = dict(by_gate)
    for reason, count in [*unasked.items(), *report.dropped.items(), *report.withheld.items()]:
        total[reason] = total.get(reason, 0) + count
    return {reason: count for reason, count in total.items() if count}


def _worst(verdict: Verdict) -> str:
    worst = max(verdict.results, key=lambda r: r.unexpected_count)
    return f"mostly {worst.expectation} on {worst.column}, {worst.unexpected_count} rows"
