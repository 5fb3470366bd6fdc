with

source as (
    select * from {{ source('bronze', 'hrdk__qualification') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        flnm as FLNM,
        brdt as BRDT,
        qlfcSttsCd as QLFC_STTS_CD,
    from source
),

national_qualifications as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('FLNM') }} as FLNM,
        {{ cleaned('BRDT') }} as BRDT,
        {{ cleaned('QLFC_STTS_CD') }} as QLFC_STTS_CD,
    from renamed
)

select * from national_qualifications
