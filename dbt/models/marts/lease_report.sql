with

lease_reports as (
    select * from {{ ref('stg_molit__lease_report') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    DCLR_NO,
    LSR_NM,
    HIRER_NM,
    ROAD_NM_ADDR,
    RENT_GRNTE_AMT,
    MRNT_AMT,
    LSCT_BGNG_YMD,
    LSCT_END_YMD,
    CTRT_YMD,
    UPDT_YN,
    CFMTN_YMD,
    CFMTN_YMD_NO,
from lease_reports
