with

business_closures as (
    select * from {{ ref('stg_nts__business_closure') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    BRNO,
    CONM,
    RPRSV_NM,
    TCBIZ_BGNG_YMD,
    TCBIZ_END_YMD,
    CLSBIZ_YMD,
    CLSBIZ_DCLR_YMD,
    CLSBIZ_RSN,
    TPBIZ_NM,
from business_closures
