with

source as (
    select * from {{ source('bronze', 'npa__driving_record') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        flnm as FLNM,
        aptstExpryYmd as APTST_EXPRY_YMD,
        lcnsRtrcnYmd as LCNS_RTRCN_YMD,
        pnpnt as PNPNT,
        cndCd as CND_CD,
    from source
),

driving_records as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('FLNM') }} as FLNM,
        {{ cleaned('APTST_EXPRY_YMD') }} as APTST_EXPRY_YMD,
        {{ cleaned('LCNS_RTRCN_YMD') }} as LCNS_RTRCN_YMD,
        PNPNT,
        {{ cleaned('CND_CD') }} as CND_CD,
    from renamed
)

select * from driving_records
