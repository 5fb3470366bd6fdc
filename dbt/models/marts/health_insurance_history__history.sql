with

enrolments as (
    select * from {{ ref('stg_nhis__eligibility__history') }}
)

select
    {{ line_columns() }},
    SBSR_SE_CD,
    BPLC_NM,
    BPLC_MNG_NO,
    HLTH_INSRNC_ACQS_YMD,
    HLTH_INSRNC_LOSE_YMD,
from enrolments
