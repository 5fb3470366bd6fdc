with

financial_statements as (
    select * from {{ ref('stg_nts__financial_statements') }}
)

select
    {{ pipeline_columns() }},
    ISSU_NO,
    ISSU_YMD,
    ISSU_INST_CD,
    BIZ_YR,
    AST_TAMT,
    LBLT_AMT,
    CPTL,
    SLS_AMT,
    SLS_TPRF,
    SALS_PRF,
    CRTR_NPRF,
from financial_statements
