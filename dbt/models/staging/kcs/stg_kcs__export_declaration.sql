with

source as (
    select * from {{ source('bronze', 'kcs__export_declaration') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        expDclrNo as EXP_DCLR_NO,
        brno as BRNO,
        conm as CONM,
        dclrAcptYmd as DCLR_ACPT_YMD,
        ntnCd as NTN_CD,
        itemNo as ITEM_NO,
        shpmtYmd as SHPMT_YMD,
    from source
),

export_declarations as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('EXP_DCLR_NO') }} as EXP_DCLR_NO,
        {{ cleaned('BRNO') }} as BRNO,
        {{ cleaned('CONM') }} as CONM,
        {{ cleaned('DCLR_ACPT_YMD') }} as DCLR_ACPT_YMD,
        {{ cleaned('NTN_CD') }} as NTN_CD,
        {{ cleaned('ITEM_NO') }} as ITEM_NO,
        {{ cleaned('SHPMT_YMD') }} as SHPMT_YMD,
    from renamed
)

select * from export_declarations
