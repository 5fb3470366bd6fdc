with

source as (
    select * from {{ source('bronze', 'nts__income') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(lines) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.attr_yr as EARN_BLN_YR,
        document_line.se_cd as EARN_SE_CD,
        document_line.incm_amt as INCM_AMT,
        document_line.earn_amt as EARN_AMT,
        document_line.txbs_amt as TXBS_AMT,
        document_line.dcsn_txamt as DCSN_TXAMT,
        document_line.tsl_amt as TSL_AMT,
        document_line.bplc_nm as BPLC_NM,
        document_line.brno as BRNO,
    from lines
),

income_lines as (
    select
        {{ line_columns() }},
        {{ cleaned('EARN_BLN_YR') }} as EARN_BLN_YR,
        {{ cleaned('EARN_SE_CD') }} as EARN_SE_CD,
        INCM_AMT,
        EARN_AMT,
        TXBS_AMT,
        DCSN_TXAMT,
        TSL_AMT,
        {{ cleaned('BPLC_NM') }} as BPLC_NM,
        {{ cleaned('BRNO') }} as BRNO,
    from renamed
)

select * from income_lines
