with

guardianship_certificates as (
    select * from {{ ref('stg_scourt__guardianship_register') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    GRDNSP_KND_CD,
    CT_NM,
    INCDNT_NO,
    TRIL_CFMTN_YMD,
    WARD_NM,
    AGCY_SCOP_CN,
    AGRE_SCOP_CN,
    GRDN_SPVS_NM,
    END_YMD,
    RCRD_ABSN_YN,
from guardianship_certificates
