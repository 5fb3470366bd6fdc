with

source as (
    select * from {{ source('bronze', 'molit__land_ledger') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(moves) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.aocr_rsn_cd as AOCR_RSN_CD,
    from lines
),

moves as (
    select
        {{ line_columns() }},
        {{ cleaned('AOCR_RSN_CD') }} as AOCR_RSN_CD,
    from renamed
)

select * from moves
