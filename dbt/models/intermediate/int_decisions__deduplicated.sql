with

decisions as (
    select * from {{ ref('stg_context__decisions') }}
),

-- One decision counts one document once. Told twice, the earlier stands, and paper before data: savings are never
-- counted twice and never made larger.
deduplicated_decisions as (
    select
        decision_id,
        service,
        law,
        article,
        recipient,
        holder,
        document_type,
        satisfied_by,
        sheets,
        is_shared_already,
        decided_on,
    from decisions
    qualify
        row_number() over (
            partition by decision_id, document_type
            order by decided_on asc, satisfied_by desc, sheets asc
        ) = 1
)

select * from deduplicated_decisions
