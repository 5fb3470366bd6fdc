with

source as (
    select * from {{ source('bronze', 'mohw__near_poverty') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        flnm as FLNM,
        npovTypeCd as NPOV_TYPE_CD,
        idntyYmd as IDNTY_YMD,
        vldPrdExpryYmd as VLD_PRD_EXPRY_YMD,
    from source
),

near_poverty_certificates as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('FLNM') }} as FLNM,
        {{ cleaned('NPOV_TYPE_CD') }} as NPOV_TYPE_CD,
        {{ cleaned('IDNTY_YMD') }} as IDNTY_YMD,
        {{ cleaned('VLD_PRD_EXPRY_YMD') }} as VLD_PRD_EXPRY_YMD,
    from renamed
)

select * from near_poverty_certificates
