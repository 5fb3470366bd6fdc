with

source as (
    select * from {{ source('bronze', 'mois__resident_register') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(members) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.mbr_nm as FMBR_NM,
        document_line.rel_nm as HSHLDR_REL_NM,
        document_line.mbr_mvin_ymd as MVIN_YMD,
        document_line.stts_cd as RSDNC_STTS_CD,
        document_line.ntnlty_nm as NTNLTY_NM,
    from lines
),

household_members as (
    select
        {{ line_columns() }},
        {{ cleaned('FMBR_NM') }} as FMBR_NM,
        {{ cleaned('HSHLDR_REL_NM') }} as HSHLDR_REL_NM,
        {{ cleaned('MVIN_YMD') }} as MVIN_YMD,
        {{ cleaned('RSDNC_STTS_CD') }} as RSDNC_STTS_CD,
        {{ cleaned('NTNLTY_NM') }} as NTNLTY_NM,
    from renamed
)

select * from household_members
