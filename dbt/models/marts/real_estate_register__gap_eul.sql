with

gap_eul as (
    select * from {{ ref('stg_scourt__real_estate_register__gap_eul') }}
)

select
    {{ line_columns() }},
    RNK_NO,
    RG_PRPS,
    RG_RCPT_YMD,
    RG_RCPT_NO,
    RGCS_CN,
    RGCS_YMD,
    RTHDR_NM,
    SHR_RT,
    BND_HGHST_AMT,
    ERSR_YN,
from gap_eul
