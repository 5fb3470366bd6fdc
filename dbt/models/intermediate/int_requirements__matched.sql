with

requirements as (
    select * from {{ ref('stg_context__requirements') }}
),

evidence as (
    select * from {{ ref('int_evidence__united') }}
),

-- One subject may have several records of one document: the newest stands for it.
newest_evidence as (
    select * from evidence
    qualify
        row_number() over (
            partition by document_type, _subject_key, _variant
            order by _observed_at desc, _evidence_id asc
        ) = 1
),

-- Evidence fills a requirement only where an authorisation for it is active: NULL and false mean no (P1).
matched_requirements as (
    select
        requirements.application_id,
        requirements._subject_key,
        requirements._variant,
        newest_evidence._evidence_id,
        newest_evidence._authorisation_id,
        requirements.service,
        requirements.recipient,
        requirements.document_type,
        requirements.reason,
        requirements.is_available,
        requirements.has_authorisation,
        requirements.is_paper,
        newest_evidence._observed_at,
    from requirements
    left join newest_evidence
        on
            requirements.document_type = newest_evidence.document_type
            and requirements._subject_key = newest_evidence._subject_key
            and requirements._variant = newest_evidence._variant
            and requirements.is_available
            and requirements.has_authorisation
)

select * from matched_requirements
