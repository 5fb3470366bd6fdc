with

source as (
    select * from {{ source('bronze', 'nts__business_registration') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(partners) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.co_bzmn_nm as CO_BZMN_NM,
    from lines
),

partners as (
    select
        {{ line_columns() }},
        {{ cleaned('CO_BZMN_NM') }} as CO_BZMN_NM,
    from renamed
)

select * from partners
