with

business_lines as (
    select * from {{ ref('stg_nts__business_registration__items') }}
)

select
    {{ line_columns() }},
    BZSTAT_NM,
    CLS_NM,
    KSIC_CD,
from business_lines
