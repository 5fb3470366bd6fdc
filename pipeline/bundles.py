"""What open applications need, and under what: the context that dbt fills bundles from.

In: a ledger snapshot and the gate's relation. Out: Arrow tables `applications`, `requirements`, `decisions`.
An application's requirement is open to data only if the authorisations for that very application, or standing ones of
the same applicant, service and recipient, together cover every column that it needs now. `settled` holds bundles to
that when they are committed.
"""

import hashlib
from collections.abc import Mapping

import pyarrow as pa

from lake.engine import scratch
from schemas.services import services

REQUIREMENTS_SCHEMA = pa.schema(
    [
        pa.field("service", pa.string()),
        pa.field("recipient", pa.string()),
        pa.field("document_type", pa.string()),
        pa.field("variant", pa.string()),
        pa.field("is_available", pa.bool_()),
        pa.field("columns", pa.list_(pa.string())),
    ]
)
DECISION_SCHEMA = pa.schema(
    [
        pa.field("decision_id", pa.string()),
        pa.field("service", pa.string()),
        pa.field("recipient", pa.string()),
        pa.field("holder", pa.string()),
        pa.field("document_type", pa.string()),
        pa.field("satisfied_by", pa.string()),
        pa.field("decided_on", pa.date32()),
    ]
)


def service_requirements() -> pa.Table:
    """Every requirement of every service, as a table."""
    rows = [
        {
            "service": s.id,
            "recipient": s.recipient,
            "document_type": r.document_type,
            "variant": r.variant,
            "is_available": r.is_available,
            "columns": list(r.columns),
        }
        for s in services()
        for r in s.requirements
    ]
    return pa.Table.from_pylist(rows, schema=REQUIREMENTS_SCHEMA)


def requirements(applications: pa.Table, papers: pa.Table, allowed: pa.Table, explained: pa.Table) -> pa.Table:
    """One row for each open application and required document.

    `authorisation_id` is the application's own witness, the smallest that covers it. `explained` (authorisation_id,
    document_type, _subject_key, reason) tells why an authorisation does not flow; a requirement with neither says
    `no_authorisation`, one of which only some columns are covered `columns_outside`.
    """
    with scratch() as duck:
        for name, table in {
            "applications": applications,
            "papers": papers,
            "allowed": allowed,
            "explained": explained,
            "needed": service_requirements(),
        }.items():
            duck.register(name, table)
        return duck.sql(NEEDED).to_arrow_table()


NEEDED = """
with open_ones as (select * from applications where state = 'open'),
covering as (
    select
        a.application_id, g.document_type, g.variant,
        min(g.authorisation_id) as authorisation_id,
        flatten(list(g.columns)) as columns,
    from open_ones as a
    inner join allowed as g
        on a.applicant_key = g._subject_key and a.service = g.service and a.recipient = g.recipient
        and (g.application_id = a.application_id or g.application_id is null)
    group by all
),
denied as (
    select a.application_id, e.document_type, min(e.reason) as reason
    from open_ones as a
    inner join explained as e
        on a.applicant_key = e._subject_key and a.service = e.service and a.recipient = e.recipient
        and (e.application_id = a.application_id or e.application_id is null)
    group by all
)
select
    a.application_id,
    a.service,
    a.recipient,
    a.applicant_key,
    n.document_type,
    n.variant,
    n.is_available,
    coalesce(list_has_all(c.columns, n.columns), false) as has_authorisation,
    case when list_has_all(c.columns, n.columns) then c.authorisation_id end as authorisation_id,
    case
        when list_has_all(c.columns, n.columns) or not n.is_available then null
        when c.application_id is not null then 'columns_outside'
        else coalesce(d.reason, 'no_authorisation')
    end as reason,
    p.application_id is not null as is_paper,
from open_ones as a
inner join needed as n on a.service = n.service
left join covering as c
    on a.application_id = c.application_id and n.document_type = c.document_type and n.variant = c.variant
left join denied as d on a.application_id = d.application_id and n.document_type = d.document_type
left join (select distinct application_id, document_type from papers) as p
    on a.application_id = p.application_id and n.document_type = p.document_type
order by a.application_id, n.document_type
"""


def settled(rows: pa.Table, needed: pa.Table, evidence: pa.Table) -> pa.Table:
    """Bundle rows as the ledger and gold of now let them stand (P1, P5).

    `needed` is `requirements` of now, `evidence` (document_type, _evidence_id) what gold holds now. Rows of closed
    applications leave; evidence that no authorisation of the application covers any more, or that gold has not, is
    let go; what stays names the application's own witness.
    """
    with scratch() as duck:
        for name, table in {"bundles": rows, "needed": needed, "evidence": evidence}.items():
            duck.register(name, table)
        return duck.sql(SETTLED).to_arrow_table().select(rows.schema.names).cast(rows.schema)


SETTLED = """
with judged as (
    select
        b.*,
        n.authorisation_id,
        n.reason,
        n.is_paper,
        n.has_authorisation,
        b._evidence_id is not null and n.has_authorisation and e._evidence_id is not null as has_evidence,
    from bundles as b
    inner join needed as n on b.APLY_NO = n.application_id and b.RQDOC_CD = n.document_type
    left join evidence as e on b.RQDOC_CD = e.document_type and b._evidence_id = e._evidence_id
),
restated as (
    select
        *,
        case
            when _evidence_id is null or has_evidence then RQDOC_STTS_NM
            when is_paper then 'satisfied_by_paper'
            when not has_authorisation then 'no_authorisation'
            else 'waiting_for_data'
        end as state,
    from judged
)
select
    * replace (
        case when has_evidence then _evidence_id end as _evidence_id,
        case when has_evidence then authorisation_id end as _authorisation_id,
        case when has_evidence then _observed_at end as _observed_at,
        state as RQDOC_STTS_NM,
        case
            when _evidence_id is null or has_evidence then RQDOC_STTS_RSN
            when state = 'no_authorisation' then reason
            when state = 'waiting_for_data' then 'nothing_received'
        end as RQDOC_STTS_RSN,
        case
            when bool_and(state in ('satisfied_by_data', 'satisfied_by_paper')) over (partition by APLY_NO)
                then 'Y'
            else 'N'
        end as BNDL_CMPTN_YN,
    ),
from restated
order by APLY_NO, RQDOC_CD
"""


def digest(tables: Mapping[str, pa.Table]) -> str:
    """A digest of the context's content, so that nothing is recomputed when nothing changed."""
    total = hashlib.sha256()
    for name in sorted(tables):
        total.update(name.encode())
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, tables[name].schema) as writer:
            writer.write_table(tables[name].combine_chunks())
        total.update(sink.getvalue())
    return total.hexdigest()
