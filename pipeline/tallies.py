"""How the bundles of open applications stand, service by service: complete, incomplete, and mostly why.

In: the rows of `gold/service_bundles`. Out: one `Tally` a service, without anything that names an application.
"""

from dataclasses import dataclass

import pyarrow as pa

from lake.engine import scratch


@dataclass(frozen=True)
class Tally:
    """Applications of one service. `reason` is the commonest of what their documents lack, `lacking` how often."""

    service: str
    without_paper: int
    with_paper: int
    incomplete: int
    reason: str | None
    lacking: int


TALLIES = """
with documents as (
    select
        *,
        RQDOC_STTS_NM = 'satisfied_by_paper' as is_paper,
        RQDOC_STTS_NM not in ('satisfied_by_data', 'satisfied_by_paper', 'not_needed') as is_lacking,
    from bundles
),
applications as (
    select
        SRVC_NO, APLY_NO, bool_or(is_paper) as has_paper, bool_and(BNDL_CMPTN_YN = 'Y') as is_complete,
    from documents
    group by all
),
counts as (
    select
        SRVC_NO,
        count_if(is_complete and not has_paper) as without_paper,
        count_if(is_complete and has_paper) as with_paper,
        count_if(not is_complete) as incomplete,
    from applications
    group by all
),
reasons as (
    select SRVC_NO, RQDOC_STTS_RSN as reason, count(*) as lacking from documents where is_lacking group by all
),
commonest as (
    select * from reasons qualify row_number() over (partition by SRVC_NO order by lacking desc, reason) = 1
)
select c.*, r.reason, coalesce(r.lacking, 0) as lacking
from counts as c
left join commonest as r using (SRVC_NO)
order by SRVC_NO
"""


def tallies(bundles: pa.Table) -> list[Tally]:
    with scratch() as duck:
        duck.register("bundles", bundles)
        return [Tally(*row) for row in duck.sql(TALLIES).fetchall()]
