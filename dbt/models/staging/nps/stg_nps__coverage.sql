with

source as (
    select * from {{ source('bronze', 'nps__coverage') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        sbsrNm as SBSR_NM,
        npnCrtrMinamt as NPN_CRTR_MINAMT,
        joinMcnt as JOIN_MCNT,
        payExcpMcnt as PAY_EXCP_MCNT,
    from source
),

pension_coverages as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('SBSR_NM') }} as SBSR_NM,
        NPN_CRTR_MINAMT,
        JOIN_MCNT,
        PAY_EXCP_MCNT,
    from renamed
)

select * from pension_coverages
