"""What replacing documents saved."""

import pyarrow as pa

from schemas.contract import gold as contract_of
from tests.standardise.tables import shows


def test_savings_count_an_application_and_document_once_from_decisions_alone(gold: dict[str, pa.Table]) -> None:
    table = gold["documents_replaced"].sort_by([("DCSN_YMD", "ascending"), ("RQDOC_CD", "ascending")])
    assert shows(
        table,
        """
        STT_NM LPRVS_NM HLD_INST_CD RQDOC_CD DCSN_YMD RQDOC_NOCS SBST_NOCS NEW_SBST_NOCS SBMSN_NOCS RTRC_QTY RTRC_AMT
        법     제1조    nts         INCM     20260601 1          0         0             1          0        0
        법     제1조    mois        RRT      20260601 2          2         2             0          5        10194
        법     제1조    .           REGR     20260602 1          0         0             1          0        0
        법     제1조    mois        RRT      20260602 1          1         1             0          2        5097
        법     .        mois        RRT      20260603 2          1         .             0          2        5097
        법     제7조    mois        RRT      20260604 1          1         0             0          2        5097
        """,
    )


def test_replaced_documents_hold_nothing_about_a_person() -> None:
    assert not [name for name in contract_of("documents_replaced").gold_schema.names if name.startswith("_")]
