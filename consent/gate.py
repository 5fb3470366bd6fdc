"""The gate: which (subject, document type, columns) may flow now, and under which authorisation.

In: a ledger snapshot and the instant. Out: one relation. It denies by default: a row flows only if every condition in
`flows` holds, NULL counting as no (P1), and an authorisation AND an approval cover it. Whatever does not flow has a
reason from the closed list (`Reason`), the first that applies in the order of `SQL`. Contracts say which documents,
columns and holders exist; services say what is needed, and of a wider authorisation only that flows (P2, F43).

A statute opens what the service takes by statute and nothing else: whoever writes the ledger cannot go around consent.
Who grants about somebody else needs a recorded capacity in force; the dead and children under 14 grant nothing (F42).
Where a record is found by the resident number, the authorisation names the statute that lets it be processed.

`SQL` runs on DuckDB over the relations `authorisations`, `approvals`, `blocks`, `representations`, `deaths`,
`contracts`, `requirements`, with parameter `$at`.
"""

import os
from datetime import datetime
from functools import cache

import duckdb
import pyarrow as pa

from consent.model import Capacity, Reason, need_instant
from consent.needs import contracts, requirements
from consent.shareable import NEVER_SHAREABLE, need_shareable
from consent.snapshot import Snapshot
from hanbeon.errors import GateRefused

RESIDENT_NUMBER = "RRN"  # consent is no ground for processing it, only a statute is (PIPA 24-2)
_NEVER = ", ".join(f"'{d}'" for d in NEVER_SHAREABLE)
_CAPACITIES = ", ".join(f"'{c}'" for c in Capacity)
_GUARDIANS = f"'{Capacity.GUARDIAN_OF_CHILD}', '{Capacity.GUARDIAN_OF_WARD}'"

GATE_SCHEMA = pa.schema(
    [
        pa.field("_subject_key", pa.int64()),
        pa.field("_grantor_key", pa.int64()),
        pa.field("document_type", pa.string()),
        pa.field("variant", pa.string()),
        pa.field("columns", pa.list_(pa.string())),
        pa.field("recipient", pa.string()),
        pa.field("service", pa.string()),
        pa.field("purpose", pa.string()),
        pa.field("holder", pa.string()),
        pa.field("application_id", pa.string()),
        pa.field("mode", pa.string()),
        pa.field("valid_until", pa.timestamp("us", tz="UTC")),
        pa.field("identifier_statute", pa.string()),
        pa.field("authorisation_id", pa.string()),
        pa.field("blocked", pa.list_(pa.int64())),  # persons whose lines a disclosure block keeps out; NULL for none
    ]
)
WITHHELD_SCHEMA = pa.schema(
    [
        pa.field("document_type", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("count", pa.int64()),
    ]
)
EXPLAINED_SCHEMA = pa.schema(
    [
        pa.field("authorisation_id", pa.string()),
        pa.field("document_type", pa.string()),
        pa.field("_subject_key", pa.int64()),
        pa.field("_grantor_key", pa.int64()),
        pa.field("variant", pa.string()),
        pa.field("recipient", pa.string()),
        pa.field("service", pa.string()),
        pa.field("application_id", pa.string()),
        pa.field("reason", pa.string()),
    ]
)

SQL = f"""
with needed as (
    select
        service, recipient, purpose, document_type,
        list(variant) as variants,
        list_distinct(flatten(list(columns))) as columns,
        bool_or(is_by_statute) as is_by_statute,
    from requirements
    group by all
),
agreements as (
    select
        holder, recipient, document_type, purpose,
        bool_or(state = 'suspended' and valid_from <= $at and $at < valid_until) as is_suspended,
        bool_or(state = 'ended' or valid_until <= $at) as is_ended,
    from approvals
    group by all
),
in_force as (
    select victim_key, restricted_key from blocks
    where valid_from <= $at and (valid_until is null or $at < valid_until)
),
kept_out as (
    select restricted_key, list_sort(list_distinct(list(victim_key))) as victims from in_force group by all
),
acting as (
    select
        represented_key, representative_key, capacity,
        bool_or(valid_from <= $at and (valid_until is null or $at < valid_until)) as is_in_force,
        bool_or(valid_until <= $at) as is_over,
    from representations
    group by all
),
children as (select distinct represented_key from representations where $at < of_age_at),
facts as (
    select
        a.*,
        a.kind <> 'statute' and gone.subject_key is not null as is_grantor_dead,
        a.kind <> 'statute' and child.represented_key is not null as is_under_age,
        a.grantor_capacity in ({_GUARDIANS})
            and coalesce(r.is_over or (r.is_in_force and dead.subject_key is not null), false) as is_guard_over,
        coalesce(
            a.kind = 'statute'
            or (a._grantor_key = a._subject_key and coalesce(a.grantor_capacity, 'self') in ({_CAPACITIES}))
            or (r.is_in_force and (a.grantor_capacity = 'heir') = (dead.subject_key is not null)),
        false) as is_capable,
        case
            when s.victims is null then g_.victims
            when g_.victims is null then s.victims
            else list_sort(list_distinct(list_concat(s.victims, g_.victims)))
        end as blocked,
        exists (
            select 1 from in_force as f
            where f.victim_key = a._subject_key and f.restricted_key = a._grantor_key
        ) as is_blocked,
        case
            when list_has_all(n.columns, a.columns) then a.columns
            else list_filter(a.columns, lambda c: list_contains(n.columns, c))
        end as needed_columns,
        coalesce(
            a.authorisation_id is not null and a._subject_key is not null and a.document_type is not null
            and a.variant is not null and a.holder is not null and a.recipient is not null
            and a.service is not null and a.purpose is not null
            and a.valid_from is not null and a.valid_until is not null and a.retain_until is not null
            and (a.kind = 'statute' or a._grantor_key is not null)
            and len(a.columns) > 0 and list_count(a.columns) = len(a.columns)
            and a.kind in ('consent', 'demand', 'statute')
            and a.mode in ('one_time', 'standing')
            and a.state in ('granted', 'paused', 'withdrawn', 'expired', 'consumed')
            and a.used_count is not null,
        false) as is_complete,
        coalesce(a.kind = 'statute' or a.proof_digest is not null, false) as is_proven,
        c.document_type is not null as is_known,
        coalesce(c.identifier_kind <> '{RESIDENT_NUMBER}' or trim(a.identifier_statute) <> '', false) as is_findable,
        coalesce(c.holder = a.holder, false) as is_held,
        coalesce(list_has_all(c.column_paths, a.columns), false) as is_in_contract,
        coalesce(list_has_any(n.columns, a.columns), false) as is_needed,
        coalesce(a.kind <> 'statute' or n.is_by_statute, false) as is_grounded,
        coalesce(list_contains(n.variants, a.variant), false) as is_narrow,
        exists (
            select 1 from approvals as p
            where p.holder = a.holder and p.recipient = a.recipient
                and p.document_type = a.document_type and p.purpose = a.purpose
                and p.state = 'active' and p.valid_from <= $at and $at < p.valid_until
        ) as is_approved,
        g.holder is not null as has_agreement,
        coalesce(g.is_suspended, false) as has_suspended,
        coalesce(g.is_ended, false) as has_ended,
    from authorisations as a
    left join contracts as c on c.document_type = a.document_type
    left join needed as n
        on n.service = a.service and n.recipient = a.recipient
        and n.purpose = a.purpose and n.document_type = a.document_type
    left join agreements as g
        on g.holder = a.holder and g.recipient = a.recipient
        and g.document_type = a.document_type and g.purpose = a.purpose
    left join acting as r
        on r.represented_key = a._subject_key and r.representative_key = a._grantor_key
        and r.capacity = a.grantor_capacity
    left join deaths as dead on dead.subject_key = a._subject_key
    left join deaths as gone on gone.subject_key = a._grantor_key
    left join children as child on child.represented_key = a._grantor_key
    left join kept_out as s on s.restricted_key = a._subject_key
    left join kept_out as g_ on g_.restricted_key = a._grantor_key
),
judged as (
    select
        *,
        coalesce(
            is_complete and is_proven
            and document_type not in ({_NEVER})
            and not is_blocked
            and state = 'granted'
            and valid_from <= $at and $at < valid_until and $at < retain_until
            and (mode = 'standing' or used_count = 0)
            and not is_grantor_dead and not is_under_age and is_capable
            and is_known and is_findable and is_held and is_in_contract and is_needed
            and is_grounded and is_narrow and is_approved,
        false) as flows,
    from facts
)
select
    * exclude (columns, needed_columns, is_complete, is_proven, is_known, is_findable, is_held, is_in_contract,
        is_needed, is_grounded, is_narrow, is_blocked, is_grantor_dead, is_under_age, is_guard_over, is_capable,
        is_approved, has_agreement, has_suspended, has_ended),
    needed_columns as columns,
    case
        when flows then null
        when document_type in ({_NEVER}) then '{Reason.NEVER_SHAREABLE}'
        when is_blocked then '{Reason.DISCLOSURE_BLOCKED}'
        when not is_complete then '{Reason.INCOMPLETE}'
        when not is_proven then '{Reason.NO_EVIDENCE}'
        when state = 'withdrawn' then '{Reason.WITHDRAWN}'
        when state = 'consumed' or (mode = 'one_time' and used_count > 0) then '{Reason.CONSUMED}'
        when state = 'expired' or valid_until <= $at then '{Reason.EXPIRED}'
        when state = 'paused' then '{Reason.PAUSED}'
        when $at < valid_from then '{Reason.NOT_YET_VALID}'
        when retain_until <= $at then '{Reason.DATA_LIFE_OVER}'
        when is_grantor_dead then '{Reason.GRANTOR_DECEASED}'
        when is_under_age then '{Reason.UNDER_AGE}'
        when not is_capable and is_guard_over then '{Reason.GUARDIANSHIP_ENDED}'
        when not is_capable then '{Reason.NO_CAPACITY}'
        when not is_known then '{Reason.UNKNOWN_DOCUMENT_TYPE}'
        when not is_findable then '{Reason.NO_IDENTIFIER_STATUTE}'
        when not is_held then '{Reason.WRONG_HOLDER}'
        when not is_in_contract then '{Reason.COLUMN_OUTSIDE_CONTRACT}'
        when not is_needed then '{Reason.OUTSIDE_SERVICE}'
        when not is_grounded then '{Reason.WRONG_GROUND}'
        when not is_narrow then '{Reason.WIDER_VARIANT}'
        when not has_agreement then '{Reason.NO_APPROVAL}'
        when has_suspended then '{Reason.APPROVAL_SUSPENDED}'
        when has_ended then '{Reason.APPROVAL_ENDED}'
        else '{Reason.APPROVAL_NOT_YET_VALID}'
    end as reason
from judged
"""


def allowed(snapshot: Snapshot, at: datetime, document_type: str | None = None) -> pa.Table:
    """What may flow at this instant, in the snapshot's order; of one document type when it is named."""
    query = (
        "select _row, columns, blocked from gate"
        " where flows and ($document_type is null or document_type = $document_type)"
    )
    found = _ask(snapshot, at, query, None, document_type=document_type).sort_by("_row")
    decided = ("columns", "blocked")
    kept = [n for n in GATE_SCHEMA.names if n not in decided]
    chosen = snapshot.authorisations.select(kept).take(found.column("_row"))
    for name in decided:
        chosen = chosen.append_column(name, found.column(name))
    return chosen.select(GATE_SCHEMA.names).cast(GATE_SCHEMA)


def judged(snapshot: Snapshot, at: datetime) -> pa.Table:
    """Table(flows, reason) beside the snapshot's authorisation rows, in their order: the relation itself."""
    return _ask(snapshot, at, "select flows, reason from gate order by _row", None)


def withheld(snapshot: Snapshot, at: datetime) -> pa.Table:
    """How many rows of authorisations do not flow, by document type and first reason."""
    query = "select document_type, reason, count(*) as count from gate where not flows group by all order by all"
    return _ask(snapshot, at, query, WITHHELD_SCHEMA)


def explained(snapshot: Snapshot, at: datetime) -> pa.Table:
    """Every row of an authorisation that does not flow, with its reason."""
    query = f"select {', '.join(EXPLAINED_SCHEMA.names)} from gate where not flows order by all"
    return _ask(snapshot, at, query, EXPLAINED_SCHEMA)


def explain(snapshot: Snapshot, at: datetime, authorisation_id: str) -> list[tuple[str, int, Reason | None]]:
    """(document type, subject key, reason or None) for each row of one authorisation. Unknown id: empty."""
    query = (
        "select document_type, _subject_key, reason from gate where authorisation_id = $authorisation_id order by all"
    )
    found = _ask(snapshot, at, query, None, authorisation_id=authorisation_id).to_pylist()
    return [
        (row["document_type"], row["_subject_key"], None if row["reason"] is None else Reason(row["reason"]))
        for row in found
    ]


def require(snapshot: Snapshot, at: datetime, authorisation_id: str, document_type: str) -> None:
    """Raise GateRefused with its reason unless every row of this authorisation and document type flows now."""
    need_shareable([document_type])
    rows = [row for row in explain(snapshot, at, authorisation_id) if row[0] == document_type]
    reason = next((row[2] for row in rows if row[2] is not None), None)
    if not rows:
        raise GateRefused(f"No authorisation with this id covers {document_type}.", "no_authorisation")
    if reason is not None:
        raise GateRefused(f"{document_type} may not flow under this authorisation: {reason}.", reason)


@cache
def _database(_process: int) -> duckdb.DuckDBPyConnection:
    """One engine for a process, since opening it costs more than a decision; a forked child gets its own."""
    return duckdb.connect(config={"autoinstall_known_extensions": False, "threads": 2})


def _ask(snapshot: Snapshot, at: datetime, query: str, schema: pa.Schema | None, **parameters: str | None) -> pa.Table:
    need_instant(at, "The instant of a decision")
    with _database(os.getpid()).cursor() as duck:
        numbers = pa.arange(0, snapshot.authorisations.num_rows)
        duck.register("authorisations", snapshot.authorisations.append_column("_row", numbers))
        duck.register("approvals", snapshot.approvals)
        for name in ("blocks", "representations", "deaths"):
            duck.register(name, getattr(snapshot, name))
        duck.register("contracts", contracts())
        duck.register("requirements", requirements())
        duck.execute("set timezone = 'UTC'")
        found = duck.execute(f"with gate as ({SQL}) {query}", {"at": at, **parameters}).to_arrow_table()
    return found if schema is None else found.cast(schema)
