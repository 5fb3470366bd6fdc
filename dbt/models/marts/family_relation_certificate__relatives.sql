with

relatives as (
    select * from {{ ref('stg_scourt__family_register__relatives') }}
)

select
    {{ line_columns() }},
    FAM_REL_CD,
    FAM_NM,
    FAM_BRDT,
    FAM_GNDR_CD,
    DTH_YN,
from relatives
