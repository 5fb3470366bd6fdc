with

owners as (
    select * from {{ ref('stg_molit__land_ledger__owners') }}
)

select
    {{ line_columns() }},
    OWNR_NM,
    SHR_RT,
    OWNSHP_FLCTN_YMD,
    OWNSHP_FLCTN_CS_SE_CD,
from owners
