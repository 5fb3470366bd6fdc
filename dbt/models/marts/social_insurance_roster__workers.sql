with

workers as (
    select * from {{ ref('stg_nhis__social_insurance_roster__workers') }}
)

select
    {{ line_columns() }},
    WRKR_NM,
    BRDT,
    NPN_ACQS_YMD,
    HLTH_INSRNC_ACQS_YMD,
    EPIS_ACQS_YMD,
    IA_INSRNC_JOIN_YN,
from workers
