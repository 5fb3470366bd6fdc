with

source as (
    select * from {{ source('bronze', 'scourt__family_register') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(relatives) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.rel_cd as FAM_REL_CD,
        document_line.fam_nm as FAM_NM,
        document_line.fam_brdt as FAM_BRDT,
        document_line.fam_gndr_cd as FAM_GNDR_CD,
        document_line.dth_yn as DTH_YN,
    from lines
),

relatives as (
    select
        {{ line_columns() }},
        {{ cleaned('FAM_REL_CD') }} as FAM_REL_CD,
        {{ cleaned('FAM_NM') }} as FAM_NM,
        {{ cleaned('FAM_BRDT') }} as FAM_BRDT,
        {{ cleaned('FAM_GNDR_CD') }} as FAM_GNDR_CD,
        {{ cleaned('DTH_YN') }} as DTH_YN,
    from renamed
)

select * from relatives
