with

source as (
    select * from {{ source('bronze', 'scourt__corporate_register') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issu_no as ISSU_NO,
        issu_ymd as ISSU_YMD,
        issu_inst_cd as ISSU_INST_CD,
        crno_shown as CRNO,
        rg_no as RG_NO,
        conm as CONM,
        mnbr_addr as MNBR_ADDR,
        pbanc as PBANC_MTHD_CN,
        shr_par_amt as SHR_PAR_AMT,
        stck_cnt as PBLCN_STCK_CNT,
        cptl as CPTL,
        fndn_ymd as FNDN_YMD,
        stts_cd as CORP_STTS_CD,
    from source
),

corporate_registrations as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('CRNO') }} as CRNO,
        {{ cleaned('RG_NO') }} as RG_NO,
        {{ cleaned('CONM') }} as CONM,
        {{ cleaned('MNBR_ADDR') }} as MNBR_ADDR,
        {{ cleaned('PBANC_MTHD_CN') }} as PBANC_MTHD_CN,
        {{ amount('SHR_PAR_AMT', 'won') }} as SHR_PAR_AMT,
        {{ whole_number('PBLCN_STCK_CNT') }} as PBLCN_STCK_CNT,
        {{ amount('CPTL', 'won') }} as CPTL,
        {{ cleaned('FNDN_YMD') }} as FNDN_YMD,
        {{ cleaned('CORP_STTS_CD') }} as CORP_STTS_CD,
    from renamed
)

select * from corporate_registrations
