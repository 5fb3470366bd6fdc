with

source as (
    select * from {{ source('context', 'requirements') }}
),

open_applications as (
    select distinct application_id from {{ source('context', 'applications') }}
    where state = 'open'
),

requirements as (
    select
        source.application_id,
        source.service,
        source.recipient,
        source.applicant_key as _subject_key,
        source.document_type,
        source.variant as _variant,
        source.reason,
        coalesce(source.is_available, false) as is_available,
        coalesce(source.has_authorisation, false) as has_authorisation,
        coalesce(source.is_paper, false) as is_paper,
    from source
    inner join open_applications on source.application_id = open_applications.application_id
)

select * from requirements
