with

passport_records as (
    select * from {{ ref('stg_mofa__passport') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    ENG_NM,
    PSPRT_TYPE_CD,
    VLD_PRD_EXPRY_YMD,
    BRDT,
from passport_records
