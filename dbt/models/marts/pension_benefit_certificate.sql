with

pension_benefits as (
    select * from {{ ref('stg_nps__benefits') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    RECPNT_NM,
    BNFT_KND_CD,
    RECP_BGNG_YMD,
    ACTNO,
from pension_benefits
