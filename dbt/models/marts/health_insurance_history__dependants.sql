with

dependants as (
    select * from {{ ref('stg_nhis__eligibility__dependants') }}
)

select
    {{ line_columns() }},
    DPND_NM,
from dependants
