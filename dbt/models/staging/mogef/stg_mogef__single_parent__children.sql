with

source as (
    select * from {{ source('bronze', 'mogef__single_parent') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(children) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.chldNm as CHLD_NM,
        document_line.chldBrdt as CHLD_BRDT,
    from lines
),

children as (
    select
        {{ line_columns() }},
        {{ cleaned('CHLD_NM') }} as CHLD_NM,
        {{ cleaned('CHLD_BRDT') }} as CHLD_BRDT,
    from renamed
)

select * from children
