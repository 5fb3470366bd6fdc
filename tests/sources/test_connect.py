"""What holds for every delivery form: the request is checked, nobody unknown is dialled, no value leaks (P8)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from hanbeon.errors import ContractError, DependencyDown, HanbeonError, SettingsError, SourceError, UsageError
from schemas.contract import Contract, source, sources
from sources import endpoints
from sources.connect import connect
from sources.delivery import Batches, Delivery, Tally, ask_since
from sources.endpoints import Endpoints, HttpEndpoint
from tests.sources.asking import DUL, HANA, SETTINGS, ask, everything

INCM = source("INCM")


@pytest.mark.parametrize("contract", sources(), ids=lambda c: c.document_type)
def test_every_source_contract_names_a_form_that_has_a_connector(contract: Contract) -> None:
    with pytest.raises(DependencyDown, match=f"{contract.holder} has no .* endpoint"):
        connect(contract, everything(contract, HANA), Endpoints(), SETTINGS)


def test_an_unknown_form_is_a_wrong_contract() -> None:
    odd = replace(INCM, properties={**INCM.properties, "delivery": {"form": "pigeon"}})
    with pytest.raises(ContractError, match="delivery form pigeon"):
        connect(odd, everything(INCM, HANA), Endpoints(), SETTINGS)


def test_a_request_that_is_not_for_the_dataset_is_refused_before_anybody_is_dialled() -> None:
    request = everything(INCM, HANA)
    twice = replace(request, table=pa.concat_tables([request.table, request.table]))
    wrong = [
        (replace(request, dataset="mois/income"), "given to the connector of nts/income"),
        (replace(request, table=request.table.drop(["is_new"])), "columns of a request set"),
        (everything(INCM, HANA, variant="head_only"), "a variant that its contract does not have"),
        (ask(INCM, (HANA, ["INCM_AMT"])), "names INCM_AMT, which contract"),
        (twice, "one subject twice in one variant"),
    ]
    for given, sentence in wrong:
        with pytest.raises(UsageError, match=sentence) as caught:
            connect(INCM, given, Endpoints(), SETTINGS)
        assert HANA not in str(caught.value)


def test_a_watermark_that_is_no_instant_is_refused() -> None:
    with pytest.raises(UsageError, match="no ISO 8601 instant"):
        ask_since(everything(INCM, HANA, watermark="yesterday"), SETTINGS)


def _delivery(*steps: pa.RecordBatch | Exception) -> Delivery:
    def read() -> Batches:
        for step in steps:
            if isinstance(step, Exception):
                raise step
            yield step

    return Delivery("nts", Tally(asked=1), "2026-01-01T00:00:00Z", read())


def test_p8_whatever_goes_wrong_in_a_connector_leaves_without_the_value_that_caused_it() -> None:
    delivery = _delivery(ValueError(f"cannot convert {HANA} of 김하나"))
    with pytest.raises(SourceError, match=r"nts sent something .* \(ValueError\)") as caught:
        list(delivery.batches())
    assert caught.value.__suppress_context__
    assert (delivery.report.is_complete, delivery.report.watermark) == (False, None)


def test_our_own_errors_pass_as_they_are() -> None:
    with pytest.raises(DependencyDown, match="down"):
        list(_delivery(DependencyDown("down")).batches())


def test_f20_a_watermark_is_reported_only_when_all_was_read() -> None:
    delivery = _delivery()
    assert delivery.report.watermark is None
    list(delivery.batches())
    assert delivery.report.watermark == "2026-01-01T00:00:00Z"
    with pytest.raises(UsageError, match="read once"):
        list(delivery.batches())


def test_the_report_shows_no_subject_key() -> None:
    delivery = _delivery()
    delivery._tally.withhold("nul", 4242)
    assert "4242" not in repr(delivery.report)
    assert "4242" not in repr(delivery._tally)


def test_endpoints_are_written_for_their_owner_alone_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    written = Endpoints({"nts": "dsn"}, {"mohw": HttpEndpoint("http://a", "id", "file")}, {}, {"nhis": "folder"})
    endpoints.write(path, written)
    assert endpoints.read(path) == written
    assert path.stat().st_mode & 0o777 == 0o600
    assert "dsn" not in repr(written)


@pytest.mark.parametrize("text", ["", "[]", '{"carrier": {}}', '{"rest": {"mohw": "http://a"}}', '{"file": []}'])
def test_a_malformed_endpoints_file_is_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"endpoints\.json"):
        endpoints.read(path)


def test_a_missing_endpoints_file_means_that_no_agency_is_up(tmp_path: Path) -> None:
    with pytest.raises(DependencyDown, match="no agency is up"):
        endpoints.read(tmp_path / "endpoints.json")


def _messages() -> Iterator[str]:
    for contract in sources():
        try:
            connect(contract, everything(contract, HANA, DUL), Endpoints(), SETTINGS)
        except HanbeonError as error:
            yield str(error)


def test_no_sentence_holds_an_identifier() -> None:
    assert not any(HANA in json.dumps(m) or DUL in m for m in _messages())
