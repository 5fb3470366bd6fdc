with

source as (
    select * from {{ source('bronze', 'moj__immigration') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        flnm as FLNM,
        engNm as ENG_NM,
        brdt as BRDT,
        ntnltyNm as NTNLTY_NM,
        inqBgngYmd as INQ_BGNG_YMD,
        inqEndYmd as INQ_END_YMD,
    from source
),

entry_departure_certificates as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('FLNM') }} as FLNM,
        {{ cleaned('ENG_NM') }} as ENG_NM,
        {{ cleaned('BRDT') }} as BRDT,
        {{ cleaned('NTNLTY_NM') }} as NTNLTY_NM,
        {{ cleaned('INQ_BGNG_YMD') }} as INQ_BGNG_YMD,
        {{ cleaned('INQ_END_YMD') }} as INQ_END_YMD,
    from renamed
)

select * from entry_departure_certificates
