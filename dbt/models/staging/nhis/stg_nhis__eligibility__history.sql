with

source as (
    select * from {{ source('bronze', 'nhis__eligibility') }}
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
        document_line.se_cd as SBSR_SE_CD,
        document_line.bplc_nm as BPLC_NM,
        document_line.bplc_mng_no as BPLC_MNG_NO,
        document_line.acqs_ymd as HLTH_INSRNC_ACQS_YMD,
        document_line.lose_ymd as HLTH_INSRNC_LOSE_YMD,
    from lines
),

enrolments as (
    select
        {{ line_columns() }},
        {{ cleaned('SBSR_SE_CD') }} as SBSR_SE_CD,
        {{ cleaned('BPLC_NM') }} as BPLC_NM,
        {{ cleaned('BPLC_MNG_NO') }} as BPLC_MNG_NO,
        {{ cleaned('HLTH_INSRNC_ACQS_YMD') }} as HLTH_INSRNC_ACQS_YMD,
        {{ cleaned('HLTH_INSRNC_LOSE_YMD') }} as HLTH_INSRNC_LOSE_YMD,
    from renamed
)

select * from enrolments
