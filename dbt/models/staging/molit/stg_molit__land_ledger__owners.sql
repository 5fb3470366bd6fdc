with

source as (
    select * from {{ source('bronze', 'molit__land_ledger') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(owners) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.ownr_nm as OWNR_NM,
        document_line.shr_rt as SHR_RT,
        document_line.ownshp_flctn_ymd as OWNSHP_FLCTN_YMD,
        document_line.ownshp_flctn_cs_se_cd as OWNSHP_FLCTN_CS_SE_CD,
    from lines
),

owners as (
    select
        {{ line_columns() }},
        {{ cleaned('OWNR_NM') }} as OWNR_NM,
        SHR_RT,
        {{ cleaned('OWNSHP_FLCTN_YMD') }} as OWNSHP_FLCTN_YMD,
        {{ cleaned('OWNSHP_FLCTN_CS_SE_CD') }} as OWNSHP_FLCTN_CS_SE_CD,
    from renamed
)

select * from owners
