with

goods as (
    select * from {{ ref('stg_kcs__export_declaration__lines') }}
)

select
    {{ line_columns() }},
    ITEM_NM,
    QTY,
    DCLR_AMT,
from goods
