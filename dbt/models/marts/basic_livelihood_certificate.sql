with

basic_livelihood_certificates as (
    select * from {{ ref('stg_mohw__basic_livelihood') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    RECPNT_NM,
    LVLH_BNFT_YN,
    MDCL_BNFT_KND_CD,
    HOUS_BNFT_YN,
    EDU_BNFT_YN,
    HSHDR_CNT,
    GRNT_BGNG_YMD,
    GRNT_END_YMD,
from basic_livelihood_certificates
