with

land_price_confirmations as (
    select * from {{ ref('stg_molit__land_price') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    LAND_UNQ_NO,
    STDG_CD,
from land_price_confirmations
