with

source as (
    select * from {{ source('bronze', 'scourt__real_estate_register') }}
    where not _is_deleted
),

lines as (
    select
        {{ pipeline_columns() }},
        unnest(gap_eul) as document_line,
    from source
),

renamed as (
    select
        {{ pipeline_columns() }},
        document_line._line_no,
        document_line._person_key,
        document_line.rnk_no as RNK_NO,
        document_line.rg_prps as RG_PRPS,
        document_line.rg_rcpt_ymd as RG_RCPT_YMD,
        document_line.rg_rcpt_no as RG_RCPT_NO,
        document_line.rgcs_cn as RGCS_CN,
        document_line.rgcs_ymd as RGCS_YMD,
        document_line.rthdr_nm as RTHDR_NM,
        document_line.shr_rt as SHR_RT,
        document_line.bnd_hghst_amt as BND_HGHST_AMT,
        document_line.ersr_yn as ERSR_YN,
    from lines
),

gap_eul as (
    select
        {{ line_columns() }},
        {{ cleaned('RNK_NO') }} as RNK_NO,
        {{ cleaned('RG_PRPS') }} as RG_PRPS,
        {{ cleaned('RG_RCPT_YMD') }} as RG_RCPT_YMD,
        {{ cleaned('RG_RCPT_NO') }} as RG_RCPT_NO,
        {{ cleaned('RGCS_CN') }} as RGCS_CN,
        {{ cleaned('RGCS_YMD') }} as RGCS_YMD,
        {{ cleaned('RTHDR_NM') }} as RTHDR_NM,
        SHR_RT,
        BND_HGHST_AMT,
        {{ cleaned('ERSR_YN') }} as ERSR_YN,
    from renamed
)

select * from gap_eul
