with

source as (
    select * from {{ source('bronze', 'nhis__social_insurance_roster') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(workers) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.wrkr_nm as WRKR_NM,
        document_line.brdt as BRDT,
        document_line.npn_acqs_ymd as NPN_ACQS_YMD,
        document_line.hlth_insrnc_acqs_ymd as HLTH_INSRNC_ACQS_YMD,
        document_line.epis_acqs_ymd as EPIS_ACQS_YMD,
        document_line.ia_insrnc_join_yn as IA_INSRNC_JOIN_YN,
    from lines
),

workers as (
    select
        {{ line_columns() }},
        {{ cleaned('WRKR_NM') }} as WRKR_NM,
        {{ cleaned('BRDT') }} as BRDT,
        {{ cleaned('NPN_ACQS_YMD') }} as NPN_ACQS_YMD,
        {{ cleaned('HLTH_INSRNC_ACQS_YMD') }} as HLTH_INSRNC_ACQS_YMD,
        {{ cleaned('EPIS_ACQS_YMD') }} as EPIS_ACQS_YMD,
        {{ cleaned('IA_INSRNC_JOIN_YN') }} as IA_INSRNC_JOIN_YN,
    from renamed
)

select * from workers
