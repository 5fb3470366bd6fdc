with

source as (
    select * from {{ source('bronze', 'scourt__corporate_register') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(officers) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.exc_nm as EXC_NM,
        document_line.jbps as EXC_JBPS_NM,
        document_line.ingr_ymd as INGR_YMD,
    from lines
),

officers as (
    select
        {{ line_columns() }},
        {{ cleaned('EXC_NM') }} as EXC_NM,
        {{ cleaned('EXC_JBPS_NM') }} as EXC_JBPS_NM,
        {{ cleaned('INGR_YMD') }} as INGR_YMD,
    from renamed
)

select * from officers
