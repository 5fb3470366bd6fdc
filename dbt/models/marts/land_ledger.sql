with

land_ledgers as (
    select * from {{ ref('stg_molit__land_ledger') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    LAND_UNQ_NO,
    STDG_CD,
    LDGR_SE_CD,
    MNO,
    SNO,
    LDCG_CD,
    AREA,
    RDSCL_SE_CD,
    PSN_SE_CD,
from land_ledgers
