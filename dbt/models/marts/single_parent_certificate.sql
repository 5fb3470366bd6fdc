with

single_parent_certificates as (
    select * from {{ ref('stg_mogef__single_parent') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    FLNM,
    SGPRN_SE_CD,
    SPRT_BGNG_YMD,
from single_parent_certificates
