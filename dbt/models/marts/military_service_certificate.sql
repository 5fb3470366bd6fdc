with

military_service_certificates as (
    select * from {{ ref('stg_mma__service_record') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    FLNM,
    ARFC_CD,
    ECHLN_CD,
    SVCNO,
    BRNCH_NM,
    ENLST_YMD,
    DCRG_YMD,
    DCRG_SE_CD,
    SVC_KND_CD,
    BDY_GRD_CD,
from military_service_certificates
