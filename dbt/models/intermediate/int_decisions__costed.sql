with

decisions as (
    select * from {{ ref('int_decisions__deduplicated') }}
),

costed_decisions as (
    select
        decision_id,
        service,
        recipient,
        holder,
        document_type,
        coalesce(satisfied_by = 'data', false) as is_replaced,
        coalesce(satisfied_by = 'paper', false) as is_paper,
        coalesce(
            sheets,
            case
                when document_type in ({{ word_list('listing_documents') }})
                    then {{ var('sheets_of_listing_documents') }}
                else {{ var('sheets_of_other_documents') }}
            end
        ) as sheets,
        cast(round({{ var('saved_won') }} / {{ var('saved_papers') }}) as bigint) as won,
        decided_on,
    from decisions
)

select * from costed_decisions
