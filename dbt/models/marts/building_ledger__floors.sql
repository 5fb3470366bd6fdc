with

floors as (
    select * from {{ ref('stg_molit__building_ledger__floors') }}
)

select
    {{ line_columns() }},
    FLR_SE_CD,
from floors
