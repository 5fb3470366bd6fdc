with

source as (
    select * from {{ source('bronze', 'nts__business_registration') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(items) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.bzstat_nm as BZSTAT_NM,
        document_line.cls_nm as CLS_NM,
        document_line.ksic_cd as KSIC_CD,
    from lines
),

business_lines as (
    select
        {{ line_columns() }},
        {{ cleaned('BZSTAT_NM') }} as BZSTAT_NM,
        {{ cleaned('CLS_NM') }} as CLS_NM,
        {{ cleaned('KSIC_CD') }} as KSIC_CD,
    from renamed
)

select * from business_lines
