with

source as (
    select * from {{ source('bronze', 'nps__coverage') }}
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
        document_line.sbsrSeCd as SBSR_SE_CD,
        document_line.bplcNm as BPLC_NM,
        document_line.npnAcqsYmd as NPN_ACQS_YMD,
        document_line.npnLoseYmd as NPN_LOSE_YMD,
    from lines
),

coverages as (
    select
        {{ line_columns() }},
        {{ cleaned('SBSR_SE_CD') }} as SBSR_SE_CD,
        {{ cleaned('BPLC_NM') }} as BPLC_NM,
        {{ cleaned('NPN_ACQS_YMD') }} as NPN_ACQS_YMD,
        {{ cleaned('NPN_LOSE_YMD') }} as NPN_LOSE_YMD,
    from renamed
)

select * from coverages
