with

requirements as (
    select * from {{ ref('int_requirements__matched') }}
),

-- Data before paper: a document that came both ways is counted once, as data.
decided_requirements as (
    select
        application_id,
        _subject_key,
        _variant,
        _evidence_id,
        _authorisation_id,
        service,
        recipient,
        document_type,
        case
            when _evidence_id is not null then 'satisfied_by_data'
            when is_paper then 'satisfied_by_paper'
            when not is_available then 'needs_paper'
            when not has_authorisation then 'no_authorisation'
            else 'waiting_for_data'
        end as state,
        reason,
        _observed_at,
    from requirements
)

select * from decided_requirements
