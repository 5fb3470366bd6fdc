with

source as (
    select * from {{ source('bronze', 'moel__employment_insurance') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        wrkrNm as WRKR_NM,
        avgWgAmt as AVG_WG_AMT,
        insrUnitPrdDayCnt as INSR_UNIT_PRD_DAY_CNT,
    from source
),

employment_insurance_histories as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('WRKR_NM') }} as WRKR_NM,
        AVG_WG_AMT,
        INSR_UNIT_PRD_DAY_CNT,
    from renamed
)

select * from employment_insurance_histories
