with

pension_coverages as (
    select * from {{ ref('stg_nps__coverage') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    SBSR_NM,
    NPN_CRTR_MINAMT,
    JOIN_MCNT,
    PAY_EXCP_MCNT,
from pension_coverages
