with

source as (
    select * from {{ source('bronze', 'nts__vat_base') }}
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
    from source
),

vat_base_certificates as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('BRNO') }} as BRNO,
        {{ cleaned('CONM') }} as CONM,
        {{ cleaned('RPRSV_NM') }} as RPRSV_NM,
    from renamed
)

select * from vat_base_certificates
