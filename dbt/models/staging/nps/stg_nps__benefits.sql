with

source as (
    select * from {{ source('bronze', 'nps__benefits') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        recpntNm as RECPNT_NM,
        bnftKndCd as BNFT_KND_CD,
        recpBgngYmd as RECP_BGNG_YMD,
        actno as ACTNO,
    from source
),

pension_benefits as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('RECPNT_NM') }} as RECPNT_NM,
        {{ cleaned('BNFT_KND_CD') }} as BNFT_KND_CD,
        {{ cleaned('RECP_BGNG_YMD') }} as RECP_BGNG_YMD,
        {{ cleaned('ACTNO') }} as ACTNO,
    from renamed
)

select * from pension_benefits
