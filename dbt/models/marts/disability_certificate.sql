with

disability_certificates as (
    select * from {{ ref('stg_mohw__disability') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    FLNM,
    MDSBLTY_TYPE_CD,
    SDSBLTY_TYPE_CD,
    DSBLTY_DGREE_CD,
    DSBLTY_REG_YMD,
    REXM_YMD,
    PRTCR_NM,
from disability_certificates
