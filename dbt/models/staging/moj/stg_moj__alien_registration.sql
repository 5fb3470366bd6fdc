with

source as (
    select * from {{ source('bronze', 'moj__alien_registration') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        engNm as ENG_NM,
        brdt as BRDT,
        gndrCd as GNDR_CD,
        ntnCd as NTN_CD,
        sojrnQlfcCd as SOJRN_QLFC_CD,
        sojrnPrdExpryYmd as SOJRN_PRD_EXPRY_YMD,
        roadNmAddr as ROAD_NM_ADDR,
    from source
),

alien_registrations as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('ENG_NM') }} as ENG_NM,
        {{ cleaned('BRDT') }} as BRDT,
        {{ cleaned('GNDR_CD') }} as GNDR_CD,
        {{ cleaned('NTN_CD') }} as NTN_CD,
        {{ cleaned('SOJRN_QLFC_CD') }} as SOJRN_QLFC_CD,
        {{ cleaned('SOJRN_PRD_EXPRY_YMD') }} as SOJRN_PRD_EXPRY_YMD,
        {{ cleaned('ROAD_NM_ADDR') }} as ROAD_NM_ADDR,
    from renamed
)

select * from alien_registrations
