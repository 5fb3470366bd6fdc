with

addresses as (
    select * from {{ ref('stg_mois__resident_abstract__addr_history') }}
)

select
    {{ line_columns() }},
    ROAD_NM_ADDR,
    STDG_CD,
    MVIN_YMD,
    FLCTN_RSN_CD,
    HSHLDR_NM,
from addresses
