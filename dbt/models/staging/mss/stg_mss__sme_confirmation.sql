with

source as (
    select * from {{ source('bronze', 'mss__sme_confirmation') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        brno as BRNO,
        conm as CONM,
        rprsvNm as RPRSV_NM,
        entSclCd as ENT_SCL_CD,
        fullWrkrCnt as FULL_WRKR_CNT,
        slsAmt as SLS_AMT,
        ksicCd as KSIC_CD,
        vldPrdBgngYmd as VLD_PRD_BGNG_YMD,
        vldPrdExpryYmd as VLD_PRD_EXPRY_YMD,
    from source
),

sme_confirmations as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('BRNO') }} as BRNO,
        {{ cleaned('CONM') }} as CONM,
        {{ cleaned('RPRSV_NM') }} as RPRSV_NM,
        {{ cleaned('ENT_SCL_CD') }} as ENT_SCL_CD,
        FULL_WRKR_CNT,
        SLS_AMT,
        {{ cleaned('KSIC_CD') }} as KSIC_CD,
        {{ cleaned('VLD_PRD_BGNG_YMD') }} as VLD_PRD_BGNG_YMD,
        {{ cleaned('VLD_PRD_EXPRY_YMD') }} as VLD_PRD_EXPRY_YMD,
    from renamed
)

select * from sme_confirmations
