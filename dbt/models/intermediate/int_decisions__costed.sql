with

decisions as (
    select * from {{ ref('int_decisions__deduplicated') }}
),

costed_decisions as (
    select
        decision_id,
        service,
        law,
        article,
        recipient,
        holder,
        document_type,
        coalesce(satisfied_by = 'data', false) as is_replaced,
        coalesce(satisfied_by = 'paper', false) as is_paper,
        -- Unknown where the registry does not have the article: what is not known is not counted as new.
        case
            when is_shared_already is not null
                then coalesce(satisfied_by = 'data', false) and not is_shared_already
        end as is_newly_replaced,
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
