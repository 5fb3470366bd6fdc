with

sme_confirmations as (
    select * from {{ ref('stg_mss__sme_confirmation') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    BRNO,
    CONM,
    RPRSV_NM,
    ENT_SCL_CD,
    FULL_WRKR_CNT,
    SLS_AMT,
    KSIC_CD,
    VLD_PRD_BGNG_YMD,
    VLD_PRD_EXPRY_YMD,
from sme_confirmations
