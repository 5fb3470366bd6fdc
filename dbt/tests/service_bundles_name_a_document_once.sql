select
    APLY_NO,
    RQDOC_CD,
from {{ ref('service_bundles') }}
group by APLY_NO, RQDOC_CD
having count(*) > 1
