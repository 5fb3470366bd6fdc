with

source as (
    select * from {{ source('bronze', 'nhis__social_insurance_roster') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        bplc_mng_no as BPLC_MNG_NO,
        bplc_nm as BPLC_NM,
        brno as BRNO,
        wrkr_cnt as WRKR_CNT,
    from source
),

social_insurance_rosters as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('BPLC_MNG_NO') }} as BPLC_MNG_NO,
        {{ cleaned('BPLC_NM') }} as BPLC_NM,
        {{ cleaned('BRNO') }} as BRNO,
        WRKR_CNT,
    from renamed
)

select * from social_insurance_rosters
