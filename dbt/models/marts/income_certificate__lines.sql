with

income_lines as (
    select * from {{ ref('stg_nts__income__lines') }}
)

select
    {{ line_columns() }},
    EARN_BLN_YR,
    EARN_SE_CD,
    INCM_AMT,
    EARN_AMT,
    TXBS_AMT,
    DCSN_TXAMT,
    TSL_AMT,
    BPLC_NM,
    BRNO,
from income_lines
