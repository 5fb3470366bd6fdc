with

basic_certificates as (
    select * from {{ ref('stg_scourt__basic_register') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    REGSTD_PLC,
    SELF_FLNM,
    BRTH_YMD,
    LNCL_YN,
    BRTH_PLC_NM,
    DTH_YMD,
    NTNLTY_LOSE_YMD,
    RNM_YMD,
    PTRP_NM,
    MNR_GRDN_NM,
    NTNLTY_ACQS_YMD,
from basic_certificates
