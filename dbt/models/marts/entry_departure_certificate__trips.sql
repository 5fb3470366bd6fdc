with

trips as (
    select * from {{ ref('stg_moj__immigration__trips') }}
)

select
    {{ line_columns() }},
    DPTCNY_YMD,
    ENTCNY_YMD,
from trips
