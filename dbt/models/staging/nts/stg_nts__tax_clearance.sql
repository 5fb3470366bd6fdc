with

source as (
    select * from {{ source('bronze', 'nts__tax_clearance') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        conm as CONM,
        rprsv_nm as RPRSV_NM,
        brno as BRNO,
        bplc_addr as BPLC_ADDR,
        npmnt_yn as NPMNT_YN,
        npmnt_amt as NPMNT_AMT,
        clctn_pstp_amt as CLCTN_PSTP_AMT,
        npmnt_dsps_pspn_amt as NPMNT_DSPS_PSPN_AMT,
        prf_prps as PRF_PRPS,
        vld_prd_expry_ymd as VLD_PRD_EXPRY_YMD,
    from source
),

national_tax_clearances as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('CONM') }} as CONM,
        {{ cleaned('RPRSV_NM') }} as RPRSV_NM,
        {{ cleaned('BRNO') }} as BRNO,
        {{ cleaned('BPLC_ADDR') }} as BPLC_ADDR,
        {{ cleaned('NPMNT_YN') }} as NPMNT_YN,
        NPMNT_AMT,
        CLCTN_PSTP_AMT,
        NPMNT_DSPS_PSPN_AMT,
        {{ cleaned('PRF_PRPS') }} as PRF_PRPS,
        {{ cleaned('VLD_PRD_EXPRY_YMD') }} as VLD_PRD_EXPRY_YMD,
    from renamed
)

select * from national_tax_clearances
