with

source as (
    select * from {{ source('bronze', 'mohw__basic_livelihood') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        recpntNm as RECPNT_NM,
        lvlhBnftYn as LVLH_BNFT_YN,
        mdclBnftKndCd as MDCL_BNFT_KND_CD,
        housBnftYn as HOUS_BNFT_YN,
        eduBnftYn as EDU_BNFT_YN,
        hshdrCnt as HSHDR_CNT,
        grntBgngYmd as GRNT_BGNG_YMD,
        grntEndYmd as GRNT_END_YMD,
    from source
),

basic_livelihood_certificates as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('RECPNT_NM') }} as RECPNT_NM,
        {{ cleaned('LVLH_BNFT_YN') }} as LVLH_BNFT_YN,
        {{ cleaned('MDCL_BNFT_KND_CD') }} as MDCL_BNFT_KND_CD,
        {{ cleaned('HOUS_BNFT_YN') }} as HOUS_BNFT_YN,
        {{ cleaned('EDU_BNFT_YN') }} as EDU_BNFT_YN,
        HSHDR_CNT,
        {{ cleaned('GRNT_BGNG_YMD') }} as GRNT_BGNG_YMD,
        {{ cleaned('GRNT_END_YMD') }} as GRNT_END_YMD,
    from renamed
)

select * from basic_livelihood_certificates
