with

partners as (
    select * from {{ ref('stg_nts__business_registration__partners') }}
)

select
    {{ line_columns() }},
    CO_BZMN_NM,
from partners
