with

land_use_plans as (
    select * from {{ ref('stg_molit__land_use') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    LAND_UNQ_NO,
    LDCG_CD,
    AREA,
    INDIV_OALP,
    ACT_LMT_CN,
from land_use_plans
