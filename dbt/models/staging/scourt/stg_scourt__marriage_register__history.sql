with

source as (
    select * from {{ source('bronze', 'scourt__marriage_register') }}
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
        document_line.dvrc_dclr_ymd as DVRC_DCLR_YMD,
    from lines
),

divorces as (
    select
        {{ line_columns() }},
        {{ cleaned('DVRC_DCLR_YMD') }} as DVRC_DCLR_YMD,
    from renamed
)

select * from divorces
