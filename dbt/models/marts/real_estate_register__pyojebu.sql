with

pyojebu as (
    select * from {{ ref('stg_scourt__real_estate_register__pyojebu') }}
)

select
    {{ line_columns() }},
    INDCT_NO,
    LCTN_LOTNO_CN,
    LDCG_NM,
    AREA,
from pyojebu
