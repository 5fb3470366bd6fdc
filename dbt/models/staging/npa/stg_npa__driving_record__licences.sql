with

source as (
    select * from {{ source('bronze', 'npa__driving_record') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(licences) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.lcnsKndCd as LCNS_KND_CD,
        document_line.lcnsAcqsYmd as LCNS_ACQS_YMD,
    from lines
),

licences as (
    select
        {{ line_columns() }},
        {{ cleaned('LCNS_KND_CD') }} as LCNS_KND_CD,
        {{ cleaned('LCNS_ACQS_YMD') }} as LCNS_ACQS_YMD,
    from renamed
)

select * from licences
