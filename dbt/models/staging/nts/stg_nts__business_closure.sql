with

source as (
    select * from {{ source('bronze', 'nts__business_closure') }}
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
        tcbiz_bgng_ymd as TCBIZ_BGNG_YMD,
        tcbiz_end_ymd as TCBIZ_END_YMD,
        clsbiz_ymd as CLSBIZ_YMD,
        clsbiz_dclr_ymd as CLSBIZ_DCLR_YMD,
        clsbiz_rsn as CLSBIZ_RSN,
        tpbiz_nm as TPBIZ_NM,
    from source
),

business_closures as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('BRNO') }} as BRNO,
        {{ cleaned('CONM') }} as CONM,
        {{ cleaned('RPRSV_NM') }} as RPRSV_NM,
        {{ cleaned('TCBIZ_BGNG_YMD') }} as TCBIZ_BGNG_YMD,
        {{ cleaned('TCBIZ_END_YMD') }} as TCBIZ_END_YMD,
        {{ cleaned('CLSBIZ_YMD') }} as CLSBIZ_YMD,
        {{ cleaned('CLSBIZ_DCLR_YMD') }} as CLSBIZ_DCLR_YMD,
        {{ cleaned('CLSBIZ_RSN') }} as CLSBIZ_RSN,
        {{ cleaned('TPBIZ_NM') }} as TPBIZ_NM,
    from renamed
)

select * from business_closures
