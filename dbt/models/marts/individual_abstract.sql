with

individual_abstracts as (
    select * from {{ ref('stg_mois__resident_abstract') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    FLNM,
    MLSV_MTTR_CN,
    REG_STTS_CD,
from individual_abstracts
