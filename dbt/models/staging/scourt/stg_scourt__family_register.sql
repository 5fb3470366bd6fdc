with

source as (
    select * from {{ source('bronze', 'scourt__family_register') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        regstd_plc as REGSTD_PLC,
        self_nm as SELF_FLNM,
        clanseat as CLANSEAT,
        gndr_cd as GNDR_CD,
    from source
),

family_relation_certificates as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('REGSTD_PLC') }} as REGSTD_PLC,
        {{ cleaned('SELF_FLNM') }} as SELF_FLNM,
        {{ cleaned('CLANSEAT') }} as CLANSEAT,
        {{ cleaned('GNDR_CD') }} as GNDR_CD,
    from renamed
)

select * from family_relation_certificates
