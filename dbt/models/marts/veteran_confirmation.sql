with

veteran_confirmations as (
    select * from {{ ref('stg_mpva__veteran') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    FLNM,
    PVNO,
    PV_TRPR_CD,
    WNDD_GRD_CD,
    REG_YMD,
    BRVD_YN,
from veteran_confirmations
