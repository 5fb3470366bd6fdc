with

source as (
    select * from {{ source('bronze', 'nts__financial_statements') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(accounts) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.acnt_sbjt_nm as ACNT_SBJT_NM,
        document_line.amt as AMT,
    from lines
),

accounts as (
    select
        {{ line_columns() }},
        {{ cleaned('ACNT_SBJT_NM') }} as ACNT_SBJT_NM,
        AMT,
    from renamed
)

select * from accounts
