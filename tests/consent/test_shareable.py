"""Court trial data flows under nothing: refused when recorded, when asked for and when approved, law named (P1)."""

from dataclasses import replace
from itertools import product

import psycopg
import pytest

from consent import gate, ledger, shareable
from consent.import_rows import parse
from consent.model import Kind, Mode, Reason
from hanbeon import granting
from hanbeon.errors import GateRefused
from schemas.documents import document_type, never_shareable
from schemas.services import Service, services
from tests.consent.making import AT, approval, approval_row, authorisation_row, grant, scope, snapshot_of
from tests.consent.test_imports import GOOD

ARTICLES = ("전자정부법 제43조의2 ①", "민원처리에 관한 법률 제10조의2 ①")


def assert_refused(refused: pytest.ExceptionInfo[GateRefused]) -> None:
    assert refused.value.reason == Reason.NEVER_SHAREABLE
    assert all(article in str(refused.value) for article in ARTICLES)


def test_p1_the_gate_and_the_catalogue_name_the_same_documents() -> None:
    assert shareable.NEVER_SHAREABLE == never_shareable() == ("INSV",)
    excluded = document_type("INSV").excluded
    assert excluded is not None
    assert excluded.articles == ARTICLES


@pytest.mark.parametrize(("kind", "mode"), [*product(Kind, Mode)])
@pytest.mark.parametrize("is_mixed", [False, True])
def test_p1_no_authorisation_that_names_trial_data_is_recorded(
    ledger_conn: psycopg.Connection, kind: Kind, mode: Mode, is_mixed: bool
) -> None:
    trial = replace(scope(), document_type="INSV", columns=("DCSN_YMD",), holder="scourt")
    scopes = (scope(), trial) if is_mixed else (trial,)
    with pytest.raises(GateRefused) as refused:
        ledger.grant(ledger_conn, [grant(*scopes, kind=kind, mode=mode)], AT)
    assert_refused(refused)
    assert ledger.position(ledger_conn) == 0


def test_p1_no_approval_of_trial_data_is_recorded(ledger_conn: psycopg.Connection) -> None:
    with pytest.raises(GateRefused) as refused:
        ledger.approve(ledger_conn, replace(approval(), document_type="INSV"), AT)
    assert_refused(refused)
    assert ledger.position(ledger_conn) == 0


def test_p1_the_gate_names_reason_and_article_whatever_the_ledger_says() -> None:
    row = authorisation_row(document_type="INSV")
    snapshot = snapshot_of([row], [approval_row(document_type="INSV")])
    with pytest.raises(GateRefused) as refused:
        gate.require(snapshot, AT, "auth-1", "INSV")
    assert_refused(refused)


@pytest.mark.parametrize("service", services(), ids=lambda s: s.id)
def test_p1_no_service_can_ask_a_citizen_for_trial_data(service: Service) -> None:
    with pytest.raises(GateRefused) as refused:
        granting.requirements(service, ["INSV"])
    assert_refused(refused)


def test_p1_an_imported_row_that_names_trial_data_is_refused_with_its_articles() -> None:
    for documents in ("INSV", "RRT|INSV", "INSV | RRT"):
        reason = parse({**GOOD, "documents": documents})
        assert isinstance(reason, str)
        assert "no law lets flow" in reason
        assert all(article in reason for article in ARTICLES)
