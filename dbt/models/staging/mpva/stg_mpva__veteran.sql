with

source as (
    select * from {{ source('bronze', 'mpva__veteran') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        flnm as FLNM,
        pvno as PVNO,
        pvTrprCd as PV_TRPR_CD,
        wnddGrdCd as WNDD_GRD_CD,
        regYmd as REG_YMD,
        brvdYn as BRVD_YN,
    from source
),

veteran_confirmations as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('FLNM') }} as FLNM,
        {{ cleaned('PVNO') }} as PVNO,
        {{ cleaned('PV_TRPR_CD') }} as PV_TRPR_CD,
        {{ cleaned('WNDD_GRD_CD') }} as WNDD_GRD_CD,
        {{ cleaned('REG_YMD') }} as REG_YMD,
        {{ cleaned('BRVD_YN') }} as BRVD_YN,
    from renamed
)

select * from veteran_confirmations
