with

payments as (
    select * from {{ ref('stg_nps__benefits__payments') }}
)

select
    {{ line_columns() }},
    SLRY_GIVE_YMD,
    PN_AMT,
from payments
