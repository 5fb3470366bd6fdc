with

source as (
    select * from {{ source('bronze', 'mois__local_tax_clearance') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        txpr_nm as TXPR_NM,
        txpr_addr as TXPR_ADDR,
        npmnt_yn as NPMNT_YN,
        npmnt_amt as NPMNT_AMT,
        clctn_pstp_amt as CLCTN_PSTP_AMT,
        crtf_usg_nm as CRTF_USG_NM,
        vld_prd_expry_ymd as VLD_PRD_EXPRY_YMD,
    from source
),

local_tax_clearances as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('TXPR_NM') }} as TXPR_NM,
        {{ cleaned('TXPR_ADDR') }} as TXPR_ADDR,
        {{ cleaned('NPMNT_YN') }} as NPMNT_YN,
        NPMNT_AMT,
        CLCTN_PSTP_AMT,
        {{ cleaned('CRTF_USG_NM') }} as CRTF_USG_NM,
        {{ cleaned('VLD_PRD_EXPRY_YMD') }} as VLD_PRD_EXPRY_YMD,
    from renamed
)

select * from local_tax_clearances
