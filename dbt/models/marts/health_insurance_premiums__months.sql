with

premium_months as (
    select * from {{ ref('stg_nhis__premiums__months') }}
)

select
    {{ line_columns() }},
    PAY_YM,
    HLTH_ISPM,
    LTC_ISPM,
    HLTH_INSRNC_MRAMT,
    PAY_YN,
from premium_months
