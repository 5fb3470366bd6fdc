with

source as (
    select * from {{ source('bronze', 'molit__building_ledger') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        bldgMngNo as BLDG_MNG_NO,
        bdrgKndCd as BDRG_KND_CD,
        roadNmAddr as ROAD_NM_ADDR,
        stdgCd as STDG_CD,
        mno as MNO,
        sno as SNO,
        hsTypeSeCd as HS_TYPE_SE_CD,
        bldgUsgNm as BLDG_USG_NM,
        bldgStrctCd as BLDG_STRCT_CD,
        siar as SIAR,
        bdar as BDAR,
        gfa as GFA,
        bdcvrt as BDCVRT,
        fart as FART,
        useAprvYmd as USE_APRV_YMD,
        violBdstYn as VIOL_BDST_YN,
    from source
),

building_ledgers as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('BLDG_MNG_NO') }} as BLDG_MNG_NO,
        {{ cleaned('BDRG_KND_CD') }} as BDRG_KND_CD,
        {{ cleaned('ROAD_NM_ADDR') }} as ROAD_NM_ADDR,
        {{ region('STDG_CD', 'stdg', 'ISSU_YMD') }} as STDG_CD,
        MNO,
        SNO,
        {{ cleaned('HS_TYPE_SE_CD') }} as HS_TYPE_SE_CD,
        {{ cleaned('BLDG_USG_NM') }} as BLDG_USG_NM,
        {{ cleaned('BLDG_STRCT_CD') }} as BLDG_STRCT_CD,
        SIAR,
        BDAR,
        GFA,
        BDCVRT,
        FART,
        {{ cleaned('USE_APRV_YMD') }} as USE_APRV_YMD,
        {{ cleaned('VIOL_BDST_YN') }} as VIOL_BDST_YN,
    from renamed
)

select * from building_ledgers
