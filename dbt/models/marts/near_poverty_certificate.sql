with

near_poverty_certificates as (
    select * from {{ ref('stg_mohw__near_poverty') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    FLNM,
    NPOV_TYPE_CD,
    IDNTY_YMD,
    VLD_PRD_EXPRY_YMD,
from near_poverty_certificates
