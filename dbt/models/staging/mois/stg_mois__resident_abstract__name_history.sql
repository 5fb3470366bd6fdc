with

source as (
    select * from {{ source('bronze', 'mois__resident_abstract') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(name_history) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.chg_bfr_flnm as CHG_BFR_FLNM,
    from lines
),

former_names as (
    select
        {{ line_columns() }},
        {{ cleaned('CHG_BFR_FLNM') }} as CHG_BFR_FLNM,
    from renamed
)

select * from former_names
