with

source as (
    select * from {{ source('bronze', 'molit__land_price') }}
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
    from source
),

land_price_confirmations as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('LAND_UNQ_NO') }} as LAND_UNQ_NO,
        {{ region('STDG_CD', 'stdg', 'ISSU_YMD') }} as STDG_CD,
    from renamed
)

select * from land_price_confirmations
