with

alien_registrations as (
    select * from {{ ref('stg_moj__alien_registration') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    ENG_NM,
    BRDT,
    GNDR_CD,
    NTN_CD,
    SOJRN_QLFC_CD,
    SOJRN_PRD_EXPRY_YMD,
    ROAD_NM_ADDR,
from alien_registrations
