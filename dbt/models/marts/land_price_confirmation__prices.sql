with

prices as (
    select * from {{ ref('stg_molit__land_price__prices') }}
)

select
    {{ line_columns() }},
    OALP_CRTR_YR,
    OALP_CRTR_YMD,
    INDIV_OALP,
    PBLNTF_YMD,
from prices
