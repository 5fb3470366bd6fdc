with

owners as (
    select * from {{ ref('stg_molit__building_ledger__owners') }}
)

select
    {{ line_columns() }},
    OWNR_NM,
from owners
