with

source as (
    select * from {{ source('bronze', 'moj__immigration') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(trips) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.dptcnyYmd as DPTCNY_YMD,
        document_line.entcnyYmd as ENTCNY_YMD,
    from lines
),

trips as (
    select
        {{ line_columns() }},
        {{ cleaned('DPTCNY_YMD') }} as DPTCNY_YMD,
        {{ cleaned('ENTCNY_YMD') }} as ENTCNY_YMD,
    from renamed
)

select * from trips
