with

guardians as (
    select * from {{ ref('stg_scourt__guardianship_register__guardians') }}
)

select
    {{ line_columns() }},
    GRDN_NM,
from guardians
