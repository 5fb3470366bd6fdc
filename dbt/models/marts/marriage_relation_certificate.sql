with

marriage_relation_certificates as (
    select * from {{ ref('stg_scourt__marriage_register') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    REGSTD_PLC,
    SELF_FLNM,
    SPS_NM,
    MRG_DCLR_YMD,
    MRG_REL_SE_CD,
from marriage_relation_certificates
