with

source as (
    select * from {{ source('bronze', 'mofa__passport') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        engNm as ENG_NM,
        psprtTypeCd as PSPRT_TYPE_CD,
        vldPrdExpryYmd as VLD_PRD_EXPRY_YMD,
        brdt as BRDT,
    from source
),

passport_records as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('ENG_NM') }} as ENG_NM,
        {{ cleaned('PSPRT_TYPE_CD') }} as PSPRT_TYPE_CD,
        {{ cleaned('VLD_PRD_EXPRY_YMD') }} as VLD_PRD_EXPRY_YMD,
        {{ cleaned('BRDT') }} as BRDT,
    from renamed
)

select * from passport_records
