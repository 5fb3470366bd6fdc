with

moves as (
    select * from {{ ref('stg_molit__land_ledger__moves') }}
)

select
    {{ line_columns() }},
    AOCR_RSN_CD,
from moves
