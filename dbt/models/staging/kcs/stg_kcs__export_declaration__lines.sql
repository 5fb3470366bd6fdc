with

source as (
    select * from {{ source('bronze', 'kcs__export_declaration') }}
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
        document_line.itemNm as ITEM_NM,
        document_line.qty as QTY,
        document_line.dclrAmt as DCLR_AMT,
    from lines
),

goods as (
    select
        {{ line_columns() }},
        {{ cleaned('ITEM_NM') }} as ITEM_NM,
        QTY,
        DCLR_AMT,
    from renamed
)

select * from goods
