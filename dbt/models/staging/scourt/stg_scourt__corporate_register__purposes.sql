with

source as (
    select * from {{ source('bronze', 'scourt__corporate_register') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(purposes) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.purpose as BIZ_PRPS_CN,
    from lines
),

purposes as (
    select
        {{ line_columns() }},
        {{ cleaned('BIZ_PRPS_CN') }} as BIZ_PRPS_CN,
    from renamed
)

select * from purposes
