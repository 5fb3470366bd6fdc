with

family_relation_certificates as (
    select * from {{ ref('stg_scourt__family_register') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    REGSTD_PLC,
    SELF_FLNM,
    CLANSEAT,
    GNDR_CD,
from family_relation_certificates
