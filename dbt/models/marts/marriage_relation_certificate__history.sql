with

divorces as (
    select * from {{ ref('stg_scourt__marriage_register__history') }}
)

select
    {{ line_columns() }},
    DVRC_DCLR_YMD,
from divorces
