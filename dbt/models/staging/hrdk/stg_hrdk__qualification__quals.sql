with

source as (
    select * from {{ source('bronze', 'hrdk__qualification') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(quals) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.qlfcLcnsNo as QLFC_LCNS_NO,
        document_line.qlfcLcnsNm as QLFC_LCNS_NM,
        document_line.ntnQlfcLcnsCd as NTN_QLFC_LCNS_CD,
        document_line.qlfcGrdNm as QLFC_GRD_NM,
        document_line.qlfcAcqsYmd as QLFC_ACQS_YMD,
    from lines
),

qualifications as (
    select
        {{ line_columns() }},
        {{ cleaned('QLFC_LCNS_NO') }} as QLFC_LCNS_NO,
        {{ cleaned('QLFC_LCNS_NM') }} as QLFC_LCNS_NM,
        {{ cleaned('NTN_QLFC_LCNS_CD') }} as NTN_QLFC_LCNS_CD,
        {{ cleaned('QLFC_GRD_NM') }} as QLFC_GRD_NM,
        {{ cleaned('QLFC_ACQS_YMD') }} as QLFC_ACQS_YMD,
    from renamed
)

select * from qualifications
