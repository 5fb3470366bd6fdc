with

source as (
    select * from {{ source('bronze', 'molit__land_price') }}
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
        document_line.oalp_crtr_yr as OALP_CRTR_YR,
        document_line.oalp_crtr_ymd as OALP_CRTR_YMD,
        document_line.indiv_oalp as INDIV_OALP,
        document_line.pblntf_ymd as PBLNTF_YMD,
    from lines
),

prices as (
    select
        {{ line_columns() }},
        {{ cleaned('OALP_CRTR_YR') }} as OALP_CRTR_YR,
        {{ cleaned('OALP_CRTR_YMD') }} as OALP_CRTR_YMD,
        {{ amount('INDIV_OALP', 'thousand_won') }} as INDIV_OALP,
        {{ cleaned('PBLNTF_YMD') }} as PBLNTF_YMD,
    from renamed
)

select * from prices
