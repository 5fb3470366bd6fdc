with

source as (
    select * from {{ source('bronze', 'scourt__real_estate_register') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(pyojebu) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.indct_no as INDCT_NO,
        document_line.lctn_lotno_cn as LCTN_LOTNO_CN,
        document_line.ldcg_nm as LDCG_NM,
        document_line.area as AREA,
    from lines
),

pyojebu as (
    select
        {{ line_columns() }},
        {{ cleaned('INDCT_NO') }} as INDCT_NO,
        {{ cleaned('LCTN_LOTNO_CN') }} as LCTN_LOTNO_CN,
        {{ cleaned('LDCG_NM') }} as LDCG_NM,
        AREA,
    from renamed
)

select * from pyojebu
