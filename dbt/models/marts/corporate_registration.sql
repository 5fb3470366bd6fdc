with

corporate_registrations as (
    select * from {{ ref('stg_scourt__corporate_register') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    CRNO,
    RG_NO,
    CONM,
    MNBR_ADDR,
    PBANC_MTHD_CN,
    SHR_PAR_AMT,
    PBLCN_STCK_CNT,
    CPTL,
    FNDN_YMD,
    CORP_STTS_CD,
from corporate_registrations
