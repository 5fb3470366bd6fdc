with

source as (
    select * from {{ source('bronze', 'mogef__single_parent') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        flnm as FLNM,
        sgprnSeCd as SGPRN_SE_CD,
        sprtBgngYmd as SPRT_BGNG_YMD,
    from source
),

single_parent_certificates as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('FLNM') }} as FLNM,
        {{ cleaned('SGPRN_SE_CD') }} as SGPRN_SE_CD,
        {{ cleaned('SPRT_BGNG_YMD') }} as SPRT_BGNG_YMD,
    from renamed
)

select * from single_parent_certificates
