with

source as (
    select * from {{ source('bronze', 'moel__employment_insurance') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(history) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.bplcNm as BPLC_NM,
        document_line.bplcMngNo as BPLC_MNG_NO,
        document_line.episAcqsYmd as EPIS_ACQS_YMD,
        document_line.episLoseYmd as EPIS_LOSE_YMD,
        document_line.loseRsnCd as LOSE_RSN_CD,
    from lines
),

insured_periods as (
    select
        {{ line_columns() }},
        {{ cleaned('BPLC_NM') }} as BPLC_NM,
        {{ cleaned('BPLC_MNG_NO') }} as BPLC_MNG_NO,
        {{ cleaned('EPIS_ACQS_YMD') }} as EPIS_ACQS_YMD,
        {{ cleaned('EPIS_LOSE_YMD') }} as EPIS_LOSE_YMD,
        {{ cleaned('LOSE_RSN_CD') }} as LOSE_RSN_CD,
    from renamed
)

select * from insured_periods
