with

source as (
    select * from {{ source('bronze', 'moj__alien_registration') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(addr_history) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.sojrnPlcChgYmd as SOJRN_PLC_CHG_YMD,
    from lines
),

address_changes as (
    select
        {{ line_columns() }},
        {{ cleaned('SOJRN_PLC_CHG_YMD') }} as SOJRN_PLC_CHG_YMD,
    from renamed
)

select * from address_changes
