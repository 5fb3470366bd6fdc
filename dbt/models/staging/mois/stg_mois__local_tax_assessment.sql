with

source as (
    select * from {{ source('bronze', 'mois__local_tax_assessment') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        txtn_yr as TXTN_YR,
        txtn_ym as TXTN_YM,
        txitm_nm as TXITM_NM,
        txtn_thing_nm as TXTN_THING_NM,
        txbs_amt as TXBS_AMT,
        levy_amt as LEVY_AMT,
        pay_amt as PAY_AMT,
        pay_ymd as PAY_YMD,
        stdg_cd as STDG_CD,
        npmnt_amt as NPMNT_AMT,
    from source
),

local_tax_assessments as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('TXTN_YR') }} as TXTN_YR,
        {{ cleaned('TXTN_YM') }} as TXTN_YM,
        {{ cleaned('TXITM_NM') }} as TXITM_NM,
        {{ cleaned('TXTN_THING_NM') }} as TXTN_THING_NM,
        TXBS_AMT,
        LEVY_AMT,
        PAY_AMT,
        {{ cleaned('PAY_YMD') }} as PAY_YMD,
        {{ region('STDG_CD', 'stdg', 'ISSU_YMD') }} as STDG_CD,
        NPMNT_AMT,
    from renamed
)

select * from local_tax_assessments
