with

source as (
    select * from {{ source('bronze', 'molit__land_ledger') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(prices) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.indiv_oalp as INDIV_OALP,
        document_line.oalp_crtr_ymd as OALP_CRTR_YMD,
    from lines
),

prices as (
    select
        {{ line_columns() }},
        INDIV_OALP,
        {{ cleaned('OALP_CRTR_YMD') }} as OALP_CRTR_YMD,
    from renamed
)

select * from prices
