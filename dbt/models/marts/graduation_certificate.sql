with

graduation_certificates as (
    select * from {{ ref('stg_moe__graduation') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    FLNM,
    BRDT,
    EDNST_CD,
    SCHL_NM,
    SCSBJT_CD,
    DGR_CD,
    MTCLTN_YMD,
    GRDTN_YMD,
    SCHRG_STTS_CD,
from graduation_certificates
