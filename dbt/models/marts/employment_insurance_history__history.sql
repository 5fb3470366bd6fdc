with

insured_periods as (
    select * from {{ ref('stg_moel__employment_insurance__history') }}
)

select
    {{ line_columns() }},
    BPLC_NM,
    BPLC_MNG_NO,
    EPIS_ACQS_YMD,
    EPIS_LOSE_YMD,
    LOSE_RSN_CD,
from insured_periods
