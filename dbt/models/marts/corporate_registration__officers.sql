with

officers as (
    select * from {{ ref('stg_scourt__corporate_register__officers') }}
)

select
    {{ line_columns() }},
    EXC_NM,
    EXC_JBPS_NM,
    INGR_YMD,
from officers
