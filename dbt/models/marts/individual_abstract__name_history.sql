with

former_names as (
    select * from {{ ref('stg_mois__resident_abstract__name_history') }}
)

select
    {{ line_columns() }},
    CHG_BFR_FLNM,
from former_names
