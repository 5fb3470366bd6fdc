with

purposes as (
    select * from {{ ref('stg_scourt__corporate_register__purposes') }}
)

select
    {{ line_columns() }},
    BIZ_PRPS_CN,
from purposes
