with

source as (
    select * from {{ source('bronze', 'nhis__premiums') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(months) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.pay_ym as PAY_YM,
        document_line.hlth_ispm as HLTH_ISPM,
        document_line.ltc_ispm as LTC_ISPM,
        document_line.hlth_insrnc_mramt as HLTH_INSRNC_MRAMT,
        document_line.pay_yn as PAY_YN,
    from lines
),

premium_months as (
    select
        {{ line_columns() }},
        {{ cleaned('PAY_YM') }} as PAY_YM,
        HLTH_ISPM,
        LTC_ISPM,
        HLTH_INSRNC_MRAMT,
        {{ cleaned('PAY_YN') }} as PAY_YN,
    from renamed
)

select * from premium_months
