with

export_declarations as (
    select * from {{ ref('stg_kcs__export_declaration') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    EXP_DCLR_NO,
    BRNO,
    CONM,
    DCLR_ACPT_YMD,
    NTN_CD,
    ITEM_NO,
    SHPMT_YMD,
from export_declarations
