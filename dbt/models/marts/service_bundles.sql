with

requirements as (
    select * from {{ ref('int_requirements__decided') }}
),

completed as (
    select
        application_id,
        bool_and(state in ('satisfied_by_data', 'satisfied_by_paper')) as is_complete,
    from requirements
    group by application_id
)

select
    requirements._subject_key,
    requirements._evidence_id,
    requirements._authorisation_id,
    requirements._variant,
    requirements._observed_at,
    requirements.application_id as APLY_NO,
    requirements.service as SRVC_NO,
    requirements.recipient as UTZTN_INST_CD,
    requirements.document_type as RQDOC_CD,
    requirements.state as RQDOC_STTS_NM,
    case requirements.state
        when 'needs_paper' then 'not_available_as_data'
        when 'no_authorisation' then coalesce(requirements.reason, 'no_authorisation')
        when 'waiting_for_data' then 'nothing_received'
    end as RQDOC_STTS_RSN,
    case when completed.is_complete then 'Y' else 'N' end as BNDL_CMPTN_YN,
from requirements
inner join completed on requirements.application_id = completed.application_id
