with

source as (
    select * from {{ source('bronze', 'nhis__eligibility') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(dependants) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.dpnd_nm as DPND_NM,
    from lines
),

dependants as (
    select
        {{ line_columns() }},
        {{ cleaned('DPND_NM') }} as DPND_NM,
    from renamed
)

select * from dependants
