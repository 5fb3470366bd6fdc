with

source as (
    select * from {{ source('bronze', 'mma__service_record') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        flnm as FLNM,
        arfc_cd as ARFC_CD,
        echln_cd as ECHLN_CD,
        svcno as SVCNO,
        brnch_nm as BRNCH_NM,
        enlst_ymd as ENLST_YMD,
        dcrg_ymd as DCRG_YMD,
        dcrg_se_cd as DCRG_SE_CD,
        svc_knd_cd as SVC_KND_CD,
        bdy_grd_cd as BDY_GRD_CD,
    from source
),

military_service_certificates as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('FLNM') }} as FLNM,
        {{ cleaned('ARFC_CD') }} as ARFC_CD,
        {{ cleaned('ECHLN_CD') }} as ECHLN_CD,
        {{ cleaned('SVCNO') }} as SVCNO,
        {{ cleaned('BRNCH_NM') }} as BRNCH_NM,
        {{ cleaned('ENLST_YMD') }} as ENLST_YMD,
        {{ cleaned('DCRG_YMD') }} as DCRG_YMD,
        {{ cleaned('DCRG_SE_CD') }} as DCRG_SE_CD,
        {{ cleaned('SVC_KND_CD') }} as SVC_KND_CD,
        {{ cleaned('BDY_GRD_CD') }} as BDY_GRD_CD,
    from renamed
)

select * from military_service_certificates
