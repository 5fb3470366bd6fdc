with

source as (
    select * from {{ source('bronze', 'nts__financial_statements') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        biz_yr as BIZ_YR,
        ast_tamt as AST_TAMT,
        lblt_amt as LBLT_AMT,
        cptl as CPTL,
        sls_amt as SLS_AMT,
        sls_tprf as SLS_TPRF,
        sals_prf as SALS_PRF,
        crtr_nprf as CRTR_NPRF,
    from source
),

financial_statements as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('BIZ_YR') }} as BIZ_YR,
        AST_TAMT,
        LBLT_AMT,
        CPTL,
        SLS_AMT,
        SLS_TPRF,
        SALS_PRF,
        CRTR_NPRF,
    from renamed
)

select * from financial_statements
