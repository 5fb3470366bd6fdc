"""What gold and the shares hold after a publication.

Pure functions over Arrow tables: recomputed subjects are replaced whole, so that no output means removal; everything
is covered by the gate of now; a share is what gold says now, seen by one recipient, with its own pseudonyms and only
its columns.
"""

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from consent.snapshot import Snapshot
from lake.engine import scratch
from pipeline.coverage import covered, gold_paths, unite
from pipeline.versions import current_state
from schemas.contract import Contract
from schemas.services import services

Hashes = Callable[[str, Sequence[str | bytes]], list[bytes]]

SHARE_FIELDS = (
    pa.field("_pairwise_id", pa.binary()),
    pa.field("_evidence_id", pa.string()),
    pa.field("_authorisation_id", pa.string()),
    pa.field("_observed_at", pa.timestamp("us", tz="UTC")),
)
SHARE_LINE_FIELDS = (pa.field("_line_no", pa.int32()), pa.field("_person_pairwise_id", pa.binary()))


def changed_subjects(live_bronze: pa.Table, gold: pa.Table) -> pa.Table:
    """Subject keys whose evidence in gold is not exactly what bronze now says: one column `_subject_key`.

    A gold row carries the pipeline columns of the bronze row that it came from, so the two can be compared without
    any state: a missing, superseded or no longer backed row makes its subject due. A document's lines are published
    before the document itself, so that a document that is there has its lines (P6).
    """
    same = ["_subject_key", "_variant", "_evidence_id", "_valid_to", "_run_id", "_source_record_hash"]
    with scratch() as duck:
        duck.register("bronze", live_bronze.select(same))
        duck.register("gold", gold.select(same))
        return duck.sql(
            """
            select distinct _subject_key from (
                (select * from bronze except select * from gold)
                union all
                (select * from gold except select * from bronze)
            ) order by _subject_key
            """
        ).to_arrow_table()


def moved_subjects(
    live_bronze: pa.Table, gold: pa.Table, snapshot: Snapshot, document_type: str, position: int
) -> pa.Table:
    """Subject keys with a row, whose authorisations or approvals moved after a ledger position.

    A publication may have narrowed their gold in between (paused, then resumed): the pipeline columns do not tell.
    """
    with scratch() as duck:
        duck.register("bronze", live_bronze.select(["_subject_key"]))
        duck.register("gold", gold.select(["_subject_key"]))
        duck.register("authorisations", snapshot.authorisations)
        duck.register("approvals", snapshot.approvals)
        return duck.execute(
            """
            with moved as (
                select _subject_key from authorisations
                where document_type = $document_type and ledger_position > $position
            ),
            has_moved_approval as (
                select count(*) > 0 as is_so from approvals
                where document_type = $document_type and ledger_position > $position
            )
            select _subject_key from (select _subject_key from bronze union select _subject_key from gold)
            where (select is_so from has_moved_approval) or _subject_key in (select _subject_key from moved)
            order by _subject_key
            """,
            {"document_type": document_type, "position": position},
        ).to_arrow_table()


def replaced(
    contract: Contract, current: pa.Table, staged: pa.Table, recomputed: pa.Table, allowed: pa.Table
) -> pa.Table:
    """The gold table after publication: retained rows plus the staged ones, as far as the gate allows now."""
    recomputed_keys = recomputed.column("_subject_key").combine_chunks()
    retained = current.filter(pc.invert(pc.is_in(current.column("_subject_key"), value_set=recomputed_keys)))
    rows = pa.concat_tables([retained, staged.cast(current.schema)])
    return covered(contract, rows, unite(allowed, contract))


def share_columns(contract: Contract, recipient: str) -> tuple[str, ...]:
    """The columns of a published table that some service of the recipient needs, in contract order."""
    needed = {
        column
        for service in services()
        if service.recipient == recipient
        for requirement in service.data_requirements
        if requirement.document_type == contract.document_type
        for column in requirement.columns
    }
    return tuple(name for name, paths in gold_paths(contract) if needed.issuperset(paths))


def share_schema(contract: Contract, recipient: str) -> pa.Schema:
    lines = SHARE_LINE_FIELDS if contract.group else ()
    wanted = set(share_columns(contract, recipient))
    own = [c.arrow_field for c in contract.columns if c.name in wanted]
    return pa.schema([*SHARE_FIELDS, *lines, *own])


def share(contract: Contract, gold: pa.Table, allowed: pa.Table, recipient: str, hashes: Hashes) -> pa.Table:
    """Gold's present states as one recipient may see them; none without an authorisation of its own. No lake key."""
    return seen_by(contract, current_state(gold), allowed, recipient, hashes)


def seen_by(contract: Contract, gold: pa.Table, allowed: pa.Table, recipient: str, hashes: Hashes) -> pa.Table:
    """Rows of gold in the form of a recipient's share."""
    own = allowed.filter(pc.equal(allowed.column("recipient"), recipient))
    rows = covered(contract, gold, unite(own, contract))
    columns: dict[str, pa.Array | pa.ChunkedArray] = {
        "_pairwise_id": pairwise_ids(rows.column("_subject_key"), recipient, hashes),
        "_evidence_id": share_evidence_ids(rows.column("_evidence_id"), recipient, hashes),
        "_authorisation_id": rows.column("_authorisation_id"),
        "_observed_at": rows.column("_observed_at"),
    }
    schema = share_schema(contract, recipient)
    if "_line_no" in schema.names:
        columns["_line_no"] = rows.column("_line_no")
        columns["_person_pairwise_id"] = pairwise_ids(rows.column("_person_key"), recipient, hashes)
    table = pa.table(
        [columns.get(f.name, rows.column(f.name) if f.name in rows.schema.names else None) for f in schema],
        schema=schema,
    )
    order = [("_evidence_id", "ascending")] + ([("_line_no", "ascending")] if "_line_no" in schema.names else [])
    return table.sort_by(order)


def pairwise_ids(keys: pa.ChunkedArray, recipient: str, hashes: Hashes) -> pa.Array:
    """A 128-bit pseudonym for each subject and recipient; two recipients cannot join what they got."""
    values = keys.to_pylist()
    distinct = sorted({v for v in values if v is not None})
    hashed = hashes(f"pairwise:{recipient}", [v.to_bytes(8, "little", signed=True) for v in distinct])
    pseudonym = {v: h[:16] for v, h in zip(distinct, hashed, strict=True)}
    return pa.array([pseudonym.get(v) for v in values], pa.binary())


def share_evidence_ids(evidence: pa.ChunkedArray, recipient: str, hashes: Hashes) -> pa.Array:
    hashed = hashes(f"share-evidence:{recipient}", [e or "" for e in evidence.to_pylist()])
    return pa.array([h.hex()[:32] for h in hashed], pa.string())
