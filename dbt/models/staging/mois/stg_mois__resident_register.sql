with

source as (
    select * from {{ source('bronze', 'mois__resident_register') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        head_nm as HSHLDR_NM,
        road_addr as ROAD_NM_ADDR,
        stdg_cd as STDG_CD,
        dong_cd as DONG_CD,
        zip as ZIP,
        mvin_ymd as MVIN_YMD,
        hh_rsn_cd as HH_CMPS_RSN_CD,
    from source
),

household_extracts as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('HSHLDR_NM') }} as HSHLDR_NM,
        {{ address('ROAD_NM_ADDR', 'ISSU_YMD') }} as ROAD_NM_ADDR,
        {{ region('STDG_CD', 'stdg', 'ISSU_YMD') }} as STDG_CD,
        {{ region('DONG_CD', 'hdong', 'ISSU_YMD') }} as DONG_CD,
        {{ cleaned('ZIP') }} as ZIP,
        {{ cleaned('MVIN_YMD') }} as MVIN_YMD,
        {{ cleaned('HH_CMPS_RSN_CD') }} as HH_CMPS_RSN_CD,
    from renamed
)

select * from household_extracts
