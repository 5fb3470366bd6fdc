with

income_certificates as (
    select * from {{ ref('stg_nts__income') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    INERN_NM,
from income_certificates
