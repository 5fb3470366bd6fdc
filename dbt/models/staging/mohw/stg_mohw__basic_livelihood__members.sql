with

source as (
    select * from {{ source('bronze', 'mohw__basic_livelihood') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(members) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.hshdMbrNm as HSHD_MBR_NM,
    from lines
),

household_members as (
    select
        {{ line_columns() }},
        {{ cleaned('HSHD_MBR_NM') }} as HSHD_MBR_NM,
    from renamed
)

select * from household_members
