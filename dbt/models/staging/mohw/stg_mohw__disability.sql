with

source as (
    select * from {{ source('bronze', 'mohw__disability') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issueNo as ISSU_NO,
        issueDate as ISSU_YMD,
        issueInstitution as ISSU_INST_CD,
        name as FLNM,
        mainType as MDSBLTY_TYPE_CD,
        subType as SDSBLTY_TYPE_CD,
        degree as DSBLTY_DGREE_CD,
        registeredOn as DSBLTY_REG_YMD,
        reexaminationOn as REXM_YMD,
        guardianName as PRTCR_NM,
    from source
),

disability_certificates as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('FLNM') }} as FLNM,
        {{ cleaned('MDSBLTY_TYPE_CD') }} as MDSBLTY_TYPE_CD,
        {{ cleaned('SDSBLTY_TYPE_CD') }} as SDSBLTY_TYPE_CD,
        {{ cleaned('DSBLTY_DGREE_CD') }} as DSBLTY_DGREE_CD,
        {{ cleaned('DSBLTY_REG_YMD') }} as DSBLTY_REG_YMD,
        {{ cleaned('REXM_YMD') }} as REXM_YMD,
        {{ cleaned('PRTCR_NM') }} as PRTCR_NM,
    from renamed
)

select * from disability_certificates
