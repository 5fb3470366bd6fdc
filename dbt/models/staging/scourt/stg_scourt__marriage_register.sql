with

source as (
    select * from {{ source('bronze', 'scourt__marriage_register') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        regstd_plc as REGSTD_PLC,
        self_flnm as SELF_FLNM,
        sps_nm as SPS_NM,
        mrg_dclr_ymd as MRG_DCLR_YMD,
        mrg_rel_se_cd as MRG_REL_SE_CD,
    from source
),

marriage_relation_certificates as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('REGSTD_PLC') }} as REGSTD_PLC,
        {{ cleaned('SELF_FLNM') }} as SELF_FLNM,
        {{ cleaned('SPS_NM') }} as SPS_NM,
        {{ cleaned('MRG_DCLR_YMD') }} as MRG_DCLR_YMD,
        {{ cleaned('MRG_REL_SE_CD') }} as MRG_REL_SE_CD,
    from renamed
)

select * from marriage_relation_certificates
