with

source as (
    select * from {{ source('bronze', 'nhis__premiums') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        sbsr_nm as SBSR_NM,
        npmnt_amt as NPMNT_AMT,
    from source
),

health_insurance_premiums as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('SBSR_NM') }} as SBSR_NM,
        NPMNT_AMT,
    from renamed
)

select * from health_insurance_premiums
