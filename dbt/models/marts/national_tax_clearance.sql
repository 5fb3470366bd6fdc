with

national_tax_clearances as (
    select * from {{ ref('stg_nts__tax_clearance') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    CONM,
    RPRSV_NM,
    BRNO,
    BPLC_ADDR,
    NPMNT_YN,
    NPMNT_AMT,
    CLCTN_PSTP_AMT,
    NPMNT_DSPS_PSPN_AMT,
    PRF_PRPS,
    VLD_PRD_EXPRY_YMD,
from national_tax_clearances
