with

source as (
    select * from {{ source('bronze', 'nts__business_registration') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        brno as BRNO,
        conm as CONM,
        rprsv_nm as RPRSV_NM,
        crno as CRNO,
        opbiz_ymd as OPBIZ_YMD,
        bzmn_reg_ymd as BZMN_REG_YMD,
        bplc_addr as BPLC_ADDR,
        stdg_cd as STDG_CD,
        txtn_type_cd as TXTN_TYPE_CD,
        bzmn_stts_cd as BZMN_STTS_CD,
    from source
),

business_registrations as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('BRNO') }} as BRNO,
        {{ cleaned('CONM') }} as CONM,
        {{ cleaned('RPRSV_NM') }} as RPRSV_NM,
        {{ cleaned('CRNO') }} as CRNO,
        {{ cleaned('OPBIZ_YMD') }} as OPBIZ_YMD,
        {{ cleaned('BZMN_REG_YMD') }} as BZMN_REG_YMD,
        {{ cleaned('BPLC_ADDR') }} as BPLC_ADDR,
        {{ region('STDG_CD', 'stdg', 'ISSU_YMD') }} as STDG_CD,
        {{ cleaned('TXTN_TYPE_CD') }} as TXTN_TYPE_CD,
        {{ cleaned('BZMN_STTS_CD') }} as BZMN_STTS_CD,
    from renamed
)

select * from business_registrations
