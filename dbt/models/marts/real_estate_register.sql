with

real_estate_registers as (
    select * from {{ ref('stg_scourt__real_estate_register') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    REST_UNQ_NO,
    REST_SE_CD,
    RGOFC_NM,
from real_estate_registers
