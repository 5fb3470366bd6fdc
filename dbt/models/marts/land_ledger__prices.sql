with

prices as (
    select * from {{ ref('stg_molit__land_ledger__prices') }}
)

select
    {{ line_columns() }},
    INDIV_OALP,
    OALP_CRTR_YMD,
from prices
