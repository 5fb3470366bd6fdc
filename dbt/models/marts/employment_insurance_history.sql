with

employment_insurance_histories as (
    select * from {{ ref('stg_moel__employment_insurance') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    WRKR_NM,
    AVG_WG_AMT,
    INSR_UNIT_PRD_DAY_CNT,
from employment_insurance_histories
