with

qualifications as (
    select * from {{ ref('stg_hrdk__qualification__quals') }}
)

select
    {{ line_columns() }},
    QLFC_LCNS_NO,
    QLFC_LCNS_NM,
    NTN_QLFC_LCNS_CD,
    QLFC_GRD_NM,
    QLFC_ACQS_YMD,
from qualifications
