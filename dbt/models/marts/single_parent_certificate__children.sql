with

children as (
    select * from {{ ref('stg_mogef__single_parent__children') }}
)

select
    {{ line_columns() }},
    CHLD_NM,
    CHLD_BRDT,
from children
