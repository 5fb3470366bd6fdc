with

source as (
    select * from {{ source('bronze', 'molit__land_ledger') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        land_unq_no as LAND_UNQ_NO,
        stdg_cd as STDG_CD,
        ldgr_se_cd as LDGR_SE_CD,
        mno as MNO,
        sno as SNO,
        ldcg_cd as LDCG_CD,
        area as AREA,
        rdscl_se_cd as RDSCL_SE_CD,
        psn_se_cd as PSN_SE_CD,
    from source
),

land_ledgers as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('LAND_UNQ_NO') }} as LAND_UNQ_NO,
        {{ region('STDG_CD', 'stdg', 'ISSU_YMD') }} as STDG_CD,
        {{ cleaned('LDGR_SE_CD') }} as LDGR_SE_CD,
        MNO,
        SNO,
        {{ cleaned('LDCG_CD') }} as LDCG_CD,
        AREA,
        {{ cleaned('RDSCL_SE_CD') }} as RDSCL_SE_CD,
        {{ cleaned('PSN_SE_CD') }} as PSN_SE_CD,
    from renamed
)

select * from land_ledgers
