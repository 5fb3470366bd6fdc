with

source as (
    select * from {{ source('bronze', 'scourt__lease_fixed_date') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        cfmtn_ymd_no as CFMTN_YMD_NO,
        cfmtn_ymd as CFMTN_YMD,
        lsr_nm as LSR_NM,
        hirer_nm as HIRER_NM,
        hs_lctn_nm as HS_LCTN_NM,
        lsct_obj_cn as LSCT_OBJ_CN,
        lsct_bgng_ymd as LSCT_BGNG_YMD,
        lsct_end_ymd as LSCT_END_YMD,
        rent_grnte_amt as RENT_GRNTE_AMT,
        mrnt_amt as MRNT_AMT,
        appl_nm as APPL_NM,
    from source
),

lease_fixed_dates as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('CFMTN_YMD_NO') }} as CFMTN_YMD_NO,
        {{ cleaned('CFMTN_YMD') }} as CFMTN_YMD,
        {{ cleaned('LSR_NM') }} as LSR_NM,
        {{ cleaned('HIRER_NM') }} as HIRER_NM,
        {{ cleaned('HS_LCTN_NM') }} as HS_LCTN_NM,
        {{ cleaned('LSCT_OBJ_CN') }} as LSCT_OBJ_CN,
        {{ cleaned('LSCT_BGNG_YMD') }} as LSCT_BGNG_YMD,
        {{ cleaned('LSCT_END_YMD') }} as LSCT_END_YMD,
        RENT_GRNTE_AMT,
        MRNT_AMT,
        {{ cleaned('APPL_NM') }} as APPL_NM,
    from renamed
)

select * from lease_fixed_dates
