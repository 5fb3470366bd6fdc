with

health_insurance_premiums as (
    select * from {{ ref('stg_nhis__premiums') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    SBSR_NM,
    NPMNT_AMT,
from health_insurance_premiums
