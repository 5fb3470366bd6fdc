with

lease_fixed_dates as (
    select * from {{ ref('stg_scourt__lease_fixed_date') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    CFMTN_YMD_NO,
    CFMTN_YMD,
    LSR_NM,
    HIRER_NM,
    HS_LCTN_NM,
    LSCT_OBJ_CN,
    LSCT_BGNG_YMD,
    LSCT_END_YMD,
    RENT_GRNTE_AMT,
    MRNT_AMT,
    APPL_NM,
from lease_fixed_dates
