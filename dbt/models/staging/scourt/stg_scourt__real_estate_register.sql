with

source as (
    select * from {{ source('bronze', 'scourt__real_estate_register') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        rest_unq_no as REST_UNQ_NO,
        rest_se_cd as REST_SE_CD,
        rgofc_nm as RGOFC_NM,
    from source
),

real_estate_registers as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('REST_UNQ_NO') }} as REST_UNQ_NO,
        {{ cleaned('REST_SE_CD') }} as REST_SE_CD,
        {{ cleaned('RGOFC_NM') }} as RGOFC_NM,
    from renamed
)

select * from real_estate_registers
