-- One application times one document type is one document, either replaced or on paper.
with

decided as (
    select distinct
        decision_id,
        document_type,
    from {{ ref('stg_context__decisions') }}
),

told as (
    select count(*) as documents from decided
),

counted as (
    select coalesce(sum(RQDOC_NOCS), 0) as documents
    from {{ ref('documents_replaced') }}
)

select
    told.documents as told,
    counted.documents as counted,
from told
inner join counted on told.documents != counted.documents
