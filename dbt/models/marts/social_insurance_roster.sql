with

social_insurance_rosters as (
    select * from {{ ref('stg_nhis__social_insurance_roster') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    BPLC_MNG_NO,
    BPLC_NM,
    BRNO,
    WRKR_CNT,
from social_insurance_rosters
