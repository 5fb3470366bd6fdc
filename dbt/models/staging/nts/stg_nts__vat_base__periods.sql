with

source as (
    select * from {{ source('bronze', 'nts__vat_base') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(periods) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.txtn_bgng_ymd as TXTN_BGNG_YMD,
        document_line.txtn_end_ymd as TXTN_END_YMD,
        document_line.txbs_amt as TXBS_AMT,
        document_line.txfr_incm_amt as TXFR_INCM_AMT,
        document_line.sls_amt as SLS_AMT,
        document_line.pay_txamt as PAY_TXAMT,
    from lines
),

tax_periods as (
    select
        {{ line_columns() }},
        {{ cleaned('TXTN_BGNG_YMD') }} as TXTN_BGNG_YMD,
        {{ cleaned('TXTN_END_YMD') }} as TXTN_END_YMD,
        TXBS_AMT,
        TXFR_INCM_AMT,
        SLS_AMT,
        PAY_TXAMT,
    from renamed
)

select * from tax_periods
