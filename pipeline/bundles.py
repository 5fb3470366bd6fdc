"""Bundles (꾸러미): what each open application needs, and which of it is there.

In: a ledger snapshot, the gate's relation, and the evidence that gold holds. Out: Arrow tables, `requirements` (what is
needed of whom, and whether it may flow) and `stated` (the rows of `gold/service_bundles`). An application's requirement
is open to data only if the authorisations for that very application, or standing ones of the same applicant, service
and recipient, together cover every column that it needs now.

A requirement about things (a parcel, a vehicle) or about several persons has a row for each of them that an
authorisation names. Bundles are computed when they are committed, from ledger and gold of that instant (P1, P5).
"""

import hashlib
from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from lake.engine import scratch
from schemas.contract import gold
from schemas.documents import never_shareable
from schemas.services import APPLICANT, services

BUNDLES = "service_bundles"
NEEDED_SCHEMA = pa.schema(
    [
        pa.field("service", pa.string()),
        pa.field("document_type", pa.string()),
        pa.field("variant", pa.string()),
        pa.field("applicants", pa.list_(pa.string())),
        pa.field("one_of", pa.string()),
        pa.field("is_of_applicant", pa.bool_()),
        pa.field("is_if_held", pa.bool_()),
        pa.field("unavailable", pa.string()),  # why no data can come; NULL where it can
        pa.field("columns", pa.list_(pa.string())),
    ]
)


def service_requirements() -> pa.Table:
    """Every requirement of every service, as a table."""
    rows = [
        {
            "service": s.id,
            "document_type": r.document_type,
            "variant": r.variant,
            "applicants": list(r.applicants),
            "one_of": r.one_of,
            "is_of_applicant": r.about == APPLICANT,
            "is_if_held": r.is_if_held,
            "unavailable": None if r.is_available else _unavailable(r.document_type),
            "columns": list(r.columns),
        }
        for s in services()
        for r in s.requirements
    ]
    return pa.Table.from_pylist(rows, schema=NEEDED_SCHEMA)


def _unavailable(document_type: str) -> str:
    return "never_shareable" if document_type in never_shareable() else "not_available_as_data"


def requirements(applications: pa.Table, papers: pa.Table, allowed: pa.Table, explained: pa.Table) -> pa.Table:
    """One row for each open application, document that its kind of applicant needs, and subject of that document.

    `authorisation_id` is the application's own witness, the smallest that covers it. `explained` tells why an
    authorisation does not flow; a requirement with neither says `no_authorisation`, one of which only some columns are
    covered `columns_outside`, one about a thing or the deceased of whom nobody has named any `nothing_named`.
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


def _own(relation: str) -> str:
    """The rows of a gate's relation that concern an open application: its own, and standing ones of who applied.

    Standing ones are about who applied, or about what she owns; what somebody consents to as a guardian is about
    another's application.
    """
    return f"""
    select a.application_id, g.*
    from asked as a
    inner join (select * rename (application_id as of_application) from {relation}) as g
        on a.service = g.service and a.recipient = g.recipient and a.document_type = g.document_type
        and (
            g.of_application = a.application_id
            or (
                g.of_application is null
                and a.applicant_key = case when a.is_of_applicant then g._subject_key else g._grantor_key end
            )
        )
    """


NEEDED = f"""
with open_ones as (select * from applications where state = 'open'),
asked as (
    select a.application_id, a.recipient, a.applicant_key, n.*
    from open_ones as a
    inner join needed as n on a.service = n.service and list_contains(n.applicants, a.applicant_kind)
),
covering as (
    select
        application_id, document_type, variant, _subject_key,
        min(authorisation_id) as authorisation_id,
        flatten(list(columns)) as columns,
    from ({_own("allowed")})
    group by all
),
denied as (
    select application_id, document_type, _subject_key, min(reason) as reason from ({_own("explained")}) group by all
),
named as (
    select application_id, document_type, _subject_key from covering
    union
    select application_id, document_type, _subject_key from denied
),
subjects as (
    select application_id, document_type, _subject_key from named
    union
    select application_id, document_type, applicant_key as _subject_key from asked
    where is_of_applicant or (application_id, document_type) not in (select (application_id, document_type) from named)
)
select
    a.application_id,
    a.service,
    a.recipient,
    s._subject_key,
    a.document_type,
    a.variant,
    a.one_of,
    a.is_if_held,
    a.unavailable,
    coalesce(list_has_all(c.columns, a.columns), false) as has_authorisation,
    case when list_has_all(c.columns, a.columns) then c.authorisation_id end as authorisation_id,
    case
        when list_has_all(c.columns, a.columns) or a.unavailable is not null then null
        when c.application_id is not null then 'columns_outside'
        when not a.is_of_applicant and m.application_id is null then 'nothing_named'
        else coalesce(d.reason, 'no_authorisation')
    end as reason,
    p.application_id is not null as is_paper,
from asked as a
inner join subjects as s on a.application_id = s.application_id and a.document_type = s.document_type
left join named as m
    on a.application_id = m.application_id and a.document_type = m.document_type and s._subject_key = m._subject_key
left join covering as c
    on a.application_id = c.application_id and a.document_type = c.document_type and a.variant = c.variant
    and s._subject_key = c._subject_key
left join denied as d
    on a.application_id = d.application_id and a.document_type = d.document_type and s._subject_key = d._subject_key
left join (select distinct application_id, document_type from papers) as p
    on a.application_id = p.application_id and a.document_type = p.document_type
order by a.application_id, a.document_type, s._subject_key
"""


def stated(needed: pa.Table, evidence: pa.Table, asked: pa.Table, today: date) -> pa.Table:
    """The rows of `gold/service_bundles`: for each of `requirements` how it is satisfied, or why it is not.

    `evidence` and `asked` are as in `pipeline.evidence`. One subject may have several records of one document: the
    newest stands for it, and only until its last day. Data before paper: what came both ways is counted once, as data.
    Where one of several documents is enough and one is there, the others are not needed; nor is one of which the holder
    has none, where only those bring it whom it concerns.
    """
    with scratch() as duck:
        for name, table in {"needed": needed, "evidence": evidence, "asked": asked}.items():
            duck.register(name, table)
        found = duck.execute(STATED, {"today": f"{today:%Y%m%d}"}).to_arrow_table()
    schema = gold(BUNDLES).gold_schema
    return found.select(schema.names).cast(schema)


STATED = """
with newest as (
    select * from evidence
    qualify row_number() over (
        partition by document_type, _subject_key, _variant order by _valid_from desc, _evidence_id
    ) = 1
),
matched as (
    select
        n.*, e.fresh_until, q.is_quarantined,
        q._subject_key is not null as is_asked,
        e._evidence_id is not null and coalesce(e.fresh_until < $today, false) as is_stale,
        case when coalesce(e.fresh_until >= $today, true) then e._evidence_id end as _evidence_id,
        e._valid_from,
    from needed as n
    left join newest as e
        on n.has_authorisation and n.document_type = e.document_type
        and n._subject_key = e._subject_key and n.variant = e._variant
    left join asked as q
        on n.has_authorisation and n.document_type = q.document_type and n._subject_key = q._subject_key
),
judged as (
    select
        *,
        case
            when _evidence_id is not null then 'satisfied_by_data'
            when is_paper then 'satisfied_by_paper'
            when unavailable is not null then 'needs_paper'
            when not has_authorisation then 'no_authorisation'
            else 'waiting_for_data'
        end as state,
        case
            when _evidence_id is not null or is_paper then null
            when unavailable is not null then unavailable
            when not has_authorisation then reason
            when is_stale then 'stale'
            when is_quarantined then 'quarantined'
            when is_asked then 'not_held'
            else 'nothing_received'
        end as why,
        state in ('satisfied_by_data', 'satisfied_by_paper') as is_there,
    from matched
),
whole as (
    select *, bool_and(is_there) over (partition by application_id, document_type) as is_document_there from judged
),
chosen as (
    select
        *,
        not is_there and (
            is_if_held and why in ('not_held', 'nothing_named')
            or bool_or(is_document_there) over (partition by application_id, coalesce(one_of, document_type))
        ) as is_not_needed,
    from whole
)
select
    _subject_key,
    _evidence_id,
    case when _evidence_id is not null then authorisation_id end as _authorisation_id,
    variant as _variant,
    case when _evidence_id is not null then _valid_from end as _valid_from,
    application_id as APLY_NO,
    service as SRVC_NO,
    recipient as UTZTN_INST_CD,
    document_type as RQDOC_CD,
    one_of as RQDOC_GROUP_NM,
    case when is_not_needed then 'not_needed' else state end as RQDOC_STTS_NM,
    case
        when is_not_needed and is_if_held and why in ('not_held', 'nothing_named') then 'not_applicable'
        when is_not_needed then 'another_document'
        else why
    end as RQDOC_STTS_RSN,
    case when is_there or is_stale then fresh_until end as VLD_PRD_EXPRY_YMD,
    case
        when bool_and(is_there or is_not_needed) over (partition by application_id) then 'Y' else 'N'
    end as BNDL_CMPTN_YN,
from chosen
order by APLY_NO, RQDOC_CD, _subject_key
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
