with

building_ledgers as (
    select * from {{ ref('stg_molit__building_ledger') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    BLDG_MNG_NO,
    BDRG_KND_CD,
    ROAD_NM_ADDR,
    STDG_CD,
    MNO,
    SNO,
    HS_TYPE_SE_CD,
    BLDG_USG_NM,
    BLDG_STRCT_CD,
    SIAR,
    BDAR,
    GFA,
    BDCVRT,
    FART,
    USE_APRV_YMD,
    VIOL_BDST_YN,
from building_ledgers
