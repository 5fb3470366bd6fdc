with

tax_periods as (
    select * from {{ ref('stg_nts__vat_base__periods') }}
)

select
    {{ line_columns() }},
    TXTN_BGNG_YMD,
    TXTN_END_YMD,
    TXBS_AMT,
    TXFR_INCM_AMT,
    SLS_AMT,
    PAY_TXAMT,
from tax_periods
