with

household_members as (
    select * from {{ ref('int_household_members__narrowed') }}
)

select
    {{ line_columns() }},
    FMBR_NM,
    HSHLDR_REL_NM,
    MVIN_YMD,
    RSDNC_STTS_CD,
    NTNLTY_NM,
from household_members
