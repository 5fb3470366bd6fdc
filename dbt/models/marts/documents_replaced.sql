with

decisions as (
    select * from {{ ref('int_decisions__costed') }}
)

select
    service as SRVC_NO,
    law as STT_NM,
    article as LPRVS_NM,
    recipient as UTZTN_INST_CD,
    holder as HLD_INST_CD,
    document_type as RQDOC_CD,
    decided_on as DCSN_YMD,
    count(*) as RQDOC_NOCS,
    count(*) filter (where is_replaced) as SBST_NOCS,
    case when count(is_newly_replaced) = count(*) then count(*) filter (where is_newly_replaced) end as NEW_SBST_NOCS,
    count(*) filter (where is_paper) as SBMSN_NOCS,
    cast(coalesce(sum(sheets) filter (where is_replaced), 0) as bigint) as RTRC_QTY,
    cast(coalesce(sum(won) filter (where is_replaced), 0) as bigint) as RTRC_AMT,
from decisions
group by service, law, article, recipient, holder, document_type, decided_on
