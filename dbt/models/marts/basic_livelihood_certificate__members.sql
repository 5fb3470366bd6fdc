with

household_members as (
    select * from {{ ref('stg_mohw__basic_livelihood__members') }}
)

select
    {{ line_columns() }},
    HSHD_MBR_NM,
from household_members
