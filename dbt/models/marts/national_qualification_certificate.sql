with

national_qualifications as (
    select * from {{ ref('stg_hrdk__qualification') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    FLNM,
    BRDT,
    QLFC_STTS_CD,
from national_qualifications
