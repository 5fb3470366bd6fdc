with

business_registrations as (
    select * from {{ ref('stg_nts__business_registration') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    BRNO,
    CONM,
    RPRSV_NM,
    CRNO,
    OPBIZ_YMD,
    BZMN_REG_YMD,
    BPLC_ADDR,
    STDG_CD,
    TXTN_TYPE_CD,
    BZMN_STTS_CD,
from business_registrations
