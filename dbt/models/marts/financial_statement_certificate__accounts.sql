with

accounts as (
    select * from {{ ref('stg_nts__financial_statements__accounts') }}
)

select
    {{ line_columns() }},
    ACNT_SBJT_NM,
    AMT,
from accounts
