with

entry_departure_certificates as (
    select * from {{ ref('stg_moj__immigration') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    FLNM,
    ENG_NM,
    BRDT,
    NTNLTY_NM,
    INQ_BGNG_YMD,
    INQ_END_YMD,
from entry_departure_certificates
