with

local_tax_assessments as (
    select * from {{ ref('stg_mois__local_tax_assessment') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    TXTN_YR,
    TXTN_YM,
    TXITM_NM,
    TXTN_THING_NM,
    TXBS_AMT,
    LEVY_AMT,
    PAY_AMT,
    PAY_YMD,
    STDG_CD,
    NPMNT_AMT,
from local_tax_assessments
