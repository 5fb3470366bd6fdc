with

source as (
    select * from {{ source('bronze', 'nhis__eligibility') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        sbsr_nm as SBSR_NM,
        hic_no as HIC_NO,
    from source
),

health_insurance_histories as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('SBSR_NM') }} as SBSR_NM,
        {{ cleaned('HIC_NO') }} as HIC_NO,
    from renamed
)

select * from health_insurance_histories
