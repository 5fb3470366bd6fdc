with

source as (
    select * from {{ source('bronze', 'scourt__guardianship_register') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        grdnsp_knd_cd as GRDNSP_KND_CD,
        ct_nm as CT_NM,
        incdnt_no as INCDNT_NO,
        tril_cfmtn_ymd as TRIL_CFMTN_YMD,
        ward_nm as WARD_NM,
        agcy_scop_cn as AGCY_SCOP_CN,
        agre_scop_cn as AGRE_SCOP_CN,
        grdn_spvs_nm as GRDN_SPVS_NM,
        end_ymd as END_YMD,
        rcrd_absn_yn as RCRD_ABSN_YN,
    from source
),

guardianship_certificates as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('GRDNSP_KND_CD') }} as GRDNSP_KND_CD,
        {{ cleaned('CT_NM') }} as CT_NM,
        {{ cleaned('INCDNT_NO') }} as INCDNT_NO,
        {{ cleaned('TRIL_CFMTN_YMD') }} as TRIL_CFMTN_YMD,
        {{ cleaned('WARD_NM') }} as WARD_NM,
        {{ cleaned('AGCY_SCOP_CN') }} as AGCY_SCOP_CN,
        {{ cleaned('AGRE_SCOP_CN') }} as AGRE_SCOP_CN,
        {{ cleaned('GRDN_SPVS_NM') }} as GRDN_SPVS_NM,
        {{ cleaned('END_YMD') }} as END_YMD,
        {{ cleaned('RCRD_ABSN_YN') }} as RCRD_ABSN_YN,
    from renamed
)

select * from guardianship_certificates
