with

source as (
    select * from {{ source('context', 'decisions') }}
),

decisions as (
    select
        decision_id,
        service,
        law,
        article,
        recipient,
        nullif(holder, '') as holder,
        document_type,
        satisfied_by,
        sheets,
        is_shared_already,
        strftime(decided_on, '%Y%m%d') as decided_on,
    from source
)

select * from decisions
