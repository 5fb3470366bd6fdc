with

source as (
    select * from {{ source('bronze', 'molit__building_ledger') }}
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
        document_line.ownrNm as OWNR_NM,
    from lines
),

owners as (
    select
        {{ line_columns() }},
        {{ cleaned('OWNR_NM') }} as OWNR_NM,
    from renamed
)

select * from owners
