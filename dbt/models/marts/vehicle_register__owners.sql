with

owners as (
    select * from {{ ref('stg_molit__vehicle_register__owners') }}
)

select
    {{ line_columns() }},
    PSN_SHRT,
from owners
