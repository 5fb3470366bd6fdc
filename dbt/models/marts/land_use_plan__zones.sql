with

zones as (
    select * from {{ ref('stg_molit__land_use__zones') }}
)

select
    {{ line_columns() }},
    ZNG_DSTRCT_NM,
    ZNG_DSTRCT_SE_CD,
from zones
