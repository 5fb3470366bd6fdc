with

source as (
    select * from {{ source('bronze', 'molit__lease_report') }}
    where not _is_deleted
),

renamed as (
    select
        {{ pipeline_columns() }},
        issuNo as ISSU_NO,
        issuYmd as ISSU_YMD,
        issuInstCd as ISSU_INST_CD,
        dclrNo as DCLR_NO,
        lsrNm as LSR_NM,
        hirerNm as HIRER_NM,
        roadNmAddr as ROAD_NM_ADDR,
        rentGrnteAmt as RENT_GRNTE_AMT,
        mrntAmt as MRNT_AMT,
        lsctBgngYmd as LSCT_BGNG_YMD,
        lsctEndYmd as LSCT_END_YMD,
        ctrtYmd as CTRT_YMD,
        updtYn as UPDT_YN,
        cfmtnYmd as CFMTN_YMD,
        cfmtnYmdNo as CFMTN_YMD_NO,
    from source
),

lease_reports as (
    select
        {{ pipeline_columns() }},
        {{ cleaned('ISSU_NO') }} as ISSU_NO,
        {{ cleaned('ISSU_YMD') }} as ISSU_YMD,
        {{ cleaned('ISSU_INST_CD') }} as ISSU_INST_CD,
        {{ cleaned('DCLR_NO') }} as DCLR_NO,
        {{ cleaned('LSR_NM') }} as LSR_NM,
        {{ cleaned('HIRER_NM') }} as HIRER_NM,
        {{ cleaned('ROAD_NM_ADDR') }} as ROAD_NM_ADDR,
        RENT_GRNTE_AMT,
        MRNT_AMT,
        {{ cleaned('LSCT_BGNG_YMD') }} as LSCT_BGNG_YMD,
        {{ cleaned('LSCT_END_YMD') }} as LSCT_END_YMD,
        {{ cleaned('CTRT_YMD') }} as CTRT_YMD,
        {{ yes_no('UPDT_YN') }} as UPDT_YN,
        {{ cleaned('CFMTN_YMD') }} as CFMTN_YMD,
        {{ cleaned('CFMTN_YMD_NO') }} as CFMTN_YMD_NO,
    from renamed
)

select * from lease_reports
