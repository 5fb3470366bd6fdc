with

address_changes as (
    select * from {{ ref('stg_moj__alien_registration__addr_history') }}
)

select
    {{ line_columns() }},
    SOJRN_PLC_CHG_YMD,
from address_changes
