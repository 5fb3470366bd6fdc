with

driving_records as (
    select * from {{ ref('stg_npa__driving_record') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    FLNM,
    APTST_EXPRY_YMD,
    LCNS_RTRCN_YMD,
    PNPNT,
    CND_CD,
from driving_records
