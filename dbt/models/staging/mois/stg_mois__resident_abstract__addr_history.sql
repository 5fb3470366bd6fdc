with

source as (
    select * from {{ source('bronze', 'mois__resident_abstract') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(addr_history) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.road_nm_addr as ROAD_NM_ADDR,
        document_line.stdg_cd as STDG_CD,
        document_line.mvin_ymd as MVIN_YMD,
        document_line.flctn_rsn_cd as FLCTN_RSN_CD,
        document_line.hshldr_nm as HSHLDR_NM,
    from lines
),

addresses as (
    select
        {{ line_columns() }},
        {{ address('ROAD_NM_ADDR', 'MVIN_YMD') }} as ROAD_NM_ADDR,
        {{ region('STDG_CD', 'stdg', 'MVIN_YMD') }} as STDG_CD,
        {{ cleaned('MVIN_YMD') }} as MVIN_YMD,
        {{ cleaned('FLCTN_RSN_CD') }} as FLCTN_RSN_CD,
        {{ cleaned('HSHLDR_NM') }} as HSHLDR_NM,
    from renamed
)

select * from addresses
