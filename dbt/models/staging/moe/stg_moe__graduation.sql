with

source as (
    select * from {{ source('bronze', 'moe__graduation') }}
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
        ednstCd as EDNST_CD,
        schlNm as SCHL_NM,
        scsbjtCd as SCSBJT_CD,
        dgrCd as DGR_CD,
        mtcltnYmd as MTCLTN_YMD,
        grdtnYmd as GRDTN_YMD,
        schrgSttsCd as SCHRG_STTS_CD,
    from source
),

graduation_certificates as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('FLNM') }} as FLNM,
        {{ cleaned('BRDT') }} as BRDT,
        {{ cleaned('EDNST_CD') }} as EDNST_CD,
        {{ cleaned('SCHL_NM') }} as SCHL_NM,
        {{ cleaned('SCSBJT_CD') }} as SCSBJT_CD,
        {{ cleaned('DGR_CD') }} as DGR_CD,
        {{ day('MTCLTN_YMD') }} as MTCLTN_YMD,
        {{ day('GRDTN_YMD') }} as GRDTN_YMD,
        {{ cleaned('SCHRG_STTS_CD') }} as SCHRG_STTS_CD,
    from renamed
)

select * from graduation_certificates
