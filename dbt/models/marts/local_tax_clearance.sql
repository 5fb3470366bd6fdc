with

local_tax_clearances as (
    select * from {{ ref('stg_mois__local_tax_clearance') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    TXPR_NM,
    TXPR_ADDR,
    NPMNT_YN,
    NPMNT_AMT,
    CLCTN_PSTP_AMT,
    CRTF_USG_NM,
    VLD_PRD_EXPRY_YMD,
from local_tax_clearances
