"""Bundles of open applications, and what replacing documents saved."""

import pyarrow as pa

from schemas.contract import gold as contract_of
from tests.standardise.tables import shows


def test_a_bundle_says_for_each_document_how_it_came_or_why_not(gold: dict[str, pa.Table]) -> None:
    table = gold["service_bundles"].sort_by([("APLY_NO", "descending"), ("RQDOC_CD", "ascending")])
    assert shows(
        table,
        """
        APLY_NO RQDOC_CD RQDOC_STTS_NM      RQDOC_STTS_RSN        _evidence_id BNDL_CMPTN_YN
        whole   DISB     satisfied_by_data  .                     disb         Y
        whole   FAMR     satisfied_by_data  .                     famr         Y
        whole   REGR     satisfied_by_paper .                     .            Y
        refused INCM     satisfied_by_paper .                     .            N
        refused RRT      no_authorisation   no_authorisation      .            N
        part    FAMR     no_authorisation   paused                .            N
        part    INCM     waiting_for_data   nothing_received      .            N
        part    NPSB     needs_paper        not_available_as_data .            N
        part    RRT      satisfied_by_data  .                     kept-new     N
        """,
    )


def test_p1_evidence_without_an_authorisation_for_this_application_fills_no_requirement(
    gold: dict[str, pa.Table],
) -> None:
    bundles = gold["service_bundles"].to_pylist()
    assert {r["_evidence_id"] for r in bundles if r["APLY_NO"] == "refused"} == {None}
    assert {r["_authorisation_id"] for r in bundles if r["_evidence_id"] == "kept-new"} == {"a-new"}


def test_a_decided_application_has_no_bundle(gold: dict[str, pa.Table]) -> None:
    assert "gone" not in gold["service_bundles"].column("APLY_NO").to_pylist()


def test_savings_count_an_application_and_document_once_from_decisions_alone(gold: dict[str, pa.Table]) -> None:
    table = gold["documents_replaced"].sort_by([("DCSN_YMD", "ascending"), ("RQDOC_CD", "ascending")])
    assert shows(
        table,
        """
        HLD_INST_CD RQDOC_CD DCSN_YMD RQDOC_NOCS SBST_NOCS SBMSN_NOCS RTRC_QTY RTRC_AMT
        nts         INCM     20260601 1          0         1          0        0
        mois        RRT      20260601 2          2         0          5        10194
        .           REGR     20260602 1          0         1          0        0
        mois        RRT      20260602 1          1         0          2        5097
        """,
    )


def test_replaced_documents_hold_nothing_about_a_person() -> None:
    assert not [name for name in contract_of("documents_replaced").gold_schema.names if name.startswith("_")]
