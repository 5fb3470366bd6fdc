with

licences as (
    select * from {{ ref('stg_npa__driving_record__licences') }}
)

select
    {{ line_columns() }},
    LCNS_KND_CD,
    LCNS_ACQS_YMD,
from licences
