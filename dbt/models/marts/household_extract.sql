with

household_extracts as (
    select * from {{ ref('stg_mois__resident_register') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    HSHLDR_NM,
    ROAD_NM_ADDR,
    STDG_CD,
    DONG_CD,
    ZIP,
    MVIN_YMD,
    HH_CMPS_RSN_CD,
from household_extracts
