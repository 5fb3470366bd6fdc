with

source as (
    select * from {{ source('bronze', 'mois__resident_abstract') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        flnm as FLNM,
        mlsv_mttr_cn as MLSV_MTTR_CN,
        reg_stts_cd as REG_STTS_CD,
    from source
),

individual_abstracts as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('FLNM') }} as FLNM,
        {{ cleaned('MLSV_MTTR_CN') }} as MLSV_MTTR_CN,
        {{ cleaned('REG_STTS_CD') }} as REG_STTS_CD,
    from renamed
)

select * from individual_abstracts
