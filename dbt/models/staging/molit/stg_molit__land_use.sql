with

source as (
    select * from {{ source('bronze', 'molit__land_use') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        landUnqNo as LAND_UNQ_NO,
        ldcgCd as LDCG_CD,
        area as AREA,
        indivOalp as INDIV_OALP,
        actLmtCn as ACT_LMT_CN,
    from source
),

land_use_plans as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('LAND_UNQ_NO') }} as LAND_UNQ_NO,
        {{ cleaned('LDCG_CD') }} as LDCG_CD,
        AREA,
        INDIV_OALP,
        {{ cleaned('ACT_LMT_CN') }} as ACT_LMT_CN,
    from renamed
)

select * from land_use_plans
