with

vat_base_certificates as (
    select * from {{ ref('stg_nts__vat_base') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    BRNO,
    CONM,
    RPRSV_NM,
from vat_base_certificates
