with

health_insurance_histories as (
    select * from {{ ref('stg_nhis__eligibility') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    SBSR_NM,
    HIC_NO,
from health_insurance_histories
