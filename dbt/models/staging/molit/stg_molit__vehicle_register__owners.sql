with

source as (
    select * from {{ source('bronze', 'molit__vehicle_register') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(owners) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.psnShrt as PSN_SHRT,
    from lines
),

owners as (
    select
        {{ line_columns() }},
        PSN_SHRT,
    from renamed
)

select * from owners
