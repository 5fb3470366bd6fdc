with

source as (
    select * from {{ source('context', 'retained_evidence') }}
),

retained_evidence as (
    select
        document_type,
        _subject_key,
        _variant,
        _evidence_id,
        _authorisation_id,
        _observed_at,
    from source
)

select * from retained_evidence
