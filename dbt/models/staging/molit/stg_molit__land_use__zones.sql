with

source as (
    select * from {{ source('bronze', 'molit__land_use') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(zones) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.zngDstrctNm as ZNG_DSTRCT_NM,
        document_line.zngDstrctSeCd as ZNG_DSTRCT_SE_CD,
    from lines
),

zones as (
    select
        {{ line_columns() }},
        {{ cleaned('ZNG_DSTRCT_NM') }} as ZNG_DSTRCT_NM,
        {{ cleaned('ZNG_DSTRCT_SE_CD') }} as ZNG_DSTRCT_SE_CD,
    from renamed
)

select * from zones
