with

coverages as (
    select * from {{ ref('stg_nps__coverage__history') }}
)

select
    {{ line_columns() }},
    SBSR_SE_CD,
    BPLC_NM,
    NPN_ACQS_YMD,
    NPN_LOSE_YMD,
from coverages
