with

source as (
    select * from {{ source('bronze', 'molit__building_ledger') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(floors) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.flrSeCd as FLR_SE_CD,
    from lines
),

floors as (
    select
        {{ line_columns() }},
        {{ cleaned('FLR_SE_CD') }} as FLR_SE_CD,
    from renamed
)

select * from floors
