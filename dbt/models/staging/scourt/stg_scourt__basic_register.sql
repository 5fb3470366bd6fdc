with

source as (
    select * from {{ source('bronze', 'scourt__basic_register') }}
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
        brth_ymd as BRTH_YMD,
        lncl_yn as LNCL_YN,
        brth_plc_nm as BRTH_PLC_NM,
        dth_ymd as DTH_YMD,
        ntnlty_lose_ymd as NTNLTY_LOSE_YMD,
        rnm_ymd as RNM_YMD,
        ptrp_nm as PTRP_NM,
        mnr_grdn_nm as MNR_GRDN_NM,
        ntnlty_acqs_ymd as NTNLTY_ACQS_YMD,
    from source
),

basic_certificates as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('REGSTD_PLC') }} as REGSTD_PLC,
        {{ cleaned('SELF_FLNM') }} as SELF_FLNM,
        {{ day('BRTH_YMD') }} as BRTH_YMD,
        {{ cleaned('LNCL_YN') }} as LNCL_YN,
        {{ cleaned('BRTH_PLC_NM') }} as BRTH_PLC_NM,
        {{ cleaned('DTH_YMD') }} as DTH_YMD,
        {{ cleaned('NTNLTY_LOSE_YMD') }} as NTNLTY_LOSE_YMD,
        {{ cleaned('RNM_YMD') }} as RNM_YMD,
        {{ cleaned('PTRP_NM') }} as PTRP_NM,
        {{ cleaned('MNR_GRDN_NM') }} as MNR_GRDN_NM,
        {{ cleaned('NTNLTY_ACQS_YMD') }} as NTNLTY_ACQS_YMD,
    from renamed
)

select * from basic_certificates
