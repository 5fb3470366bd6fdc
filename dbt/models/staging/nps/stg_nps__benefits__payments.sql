with

source as (
    select * from {{ source('bronze', 'nps__benefits') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(payments) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.slryGiveYmd as SLRY_GIVE_YMD,
        document_line.pnAmt as PN_AMT,
    from lines
),

payments as (
    select
        {{ line_columns() }},
        {{ cleaned('SLRY_GIVE_YMD') }} as SLRY_GIVE_YMD,
        PN_AMT,
    from renamed
)

select * from payments
