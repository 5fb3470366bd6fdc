with

source as (
    select * from {{ source('bronze', 'scourt__guardianship_register') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(guardians) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.grdn_nm as GRDN_NM,
    from lines
),

guardians as (
    select
        {{ line_columns() }},
        {{ cleaned('GRDN_NM') }} as GRDN_NM,
    from renamed
)

select * from guardians
