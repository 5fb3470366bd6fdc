"""Real holders sign what they deliver; what is believed is in the log, what differs is a finding."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from consent import bodies
from consent.bodies import BodyKind
from hanbeon.errors import SourceError
from hanbeon.settings import ConsentSettings
from pipeline.delivered import record_delivery
from pipeline.operations import record
from pipeline.reconcile import LONGEST_PULL, Difference, reconcile
from pipeline.run import Run
from pipeline.summary import Summary
from schemas.contract import Contract, source
from sources.delivery import DeliveryReport
from sources.endpoints import Endpoints
from sources.signed import SIDECAR, of_file
from sources.simulate import faults, nightly, world
from sources.simulate.serve import serve
from sources.simulate.truth import truth
from tests.small_lake import SmallLake
from tests.sources.asking import everything, pull

SIGNING = {"rest": "mohw", "court_xml": "scourt", "file": "nhis"}


DOCUMENT = {"rest": "DISB", "court_xml": "FAMR", "file": "HINQ", "postgres": "RRT"}


def contract_of(form: str) -> Contract:
    return source(DOCUMENT[form])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    world.build(folder, 100, 7)
    return folder


@pytest.fixture(scope="module")
def agencies(home: Path) -> Iterator[Endpoints]:
    with serve(home) as endpoints:
        yield endpoints


@pytest.fixture
def run(own_lake: SmallLake, home: Path) -> Run:
    """A run that trusts this world's holders."""
    trusted = ConsentSettings(trust_file=str(home / "keys" / "trusted.json"))
    return replace(own_lake.run, settings=replace(own_lake.run.settings, consent=trusted))


def delivered(home: Path, agencies: Endpoints, form: str) -> DeliveryReport:
    contract = contract_of(form)
    rows = truth(home, contract.document_type)[contract.published].to_pylist()
    asked = sorted({r["identifier"] for r in rows})[:20]
    return pull(contract, everything(contract, *asked, is_new=True), agencies)[1]


def told(run: Run, contract: Contract, report: DeliveryReport) -> None:
    """What a pull notes in `ops/runs`."""
    at, counts = run.at(), {"received": report.received}
    record(run, [Summary(run.run_id, "pull", contract.dataset, at, at, "passed", 1, counts=counts)])


@pytest.mark.parametrize("form", SIGNING)
def test_a_signed_delivery_is_kept_in_the_log_and_agrees(run: Run, home: Path, agencies: Endpoints, form: str) -> None:
    contract, report = contract_of(form), delivered(home, agencies, form)
    number = record_delivery(run, contract, report)
    body = bodies.body_of(run.conn, number or 0)
    assert body is not None
    assert (body["holder"], body["dataset"]) == (SIGNING[form], contract.dataset)
    assert body["records"] == body["counted"] > 0
    told(run, contract, report)
    assert [d for d in reconcile(run) if d.dataset == contract.dataset] == []


def test_a_postgres_holder_signs_nothing(run: Run, home: Path, agencies: Endpoints) -> None:
    assert record_delivery(run, contract_of("postgres"), delivered(home, agencies, "postgres")) is None


def test_a_signature_over_other_bytes_refuses_the_delivery(run: Run, home: Path, agencies: Endpoints) -> None:
    faults.inject(home, "mohw", forged_signature=True)
    report = delivered(home, agencies, "rest")
    faults.heal(home)
    with pytest.raises(SourceError, match="signed something else"):
        record_delivery(run, contract_of("rest"), report)
    assert bodies.bodies(run.conn, BodyKind.DELIVERY) == []


def test_one_forged_answer_refuses_the_delivery_although_another_is_not_signed(
    run: Run, home: Path, agencies: Endpoints
) -> None:
    faults.inject(home, "mohw", forged_signature=True)
    report = delivered(home, agencies, "rest")
    faults.heal(home)
    partly = replace(report, statements=(*report.statements, replace(report.statements[0], token=None)))
    with pytest.raises(SourceError, match="signed something else"):
        record_delivery(run, contract_of("rest"), partly)


def test_an_older_signature_does_not_go_with_a_newer_answer(run: Run, home: Path, agencies: Endpoints) -> None:
    """The same question, answered the same way: the nonce tells the two apart."""
    older, newer = (delivered(home, agencies, "rest") for _ in range(2))
    replayed = replace(newer.statements[0], token=older.statements[0].token)
    with pytest.raises(SourceError):
        record_delivery(run, contract_of("rest"), replace(newer, statements=(replayed, *newer.statements[1:])))
    assert record_delivery(run, contract_of("rest"), newer)


def test_a_file_of_last_night_sent_again_under_a_new_name_is_refused(
    run: Run, home: Path, agencies: Endpoints, tmp_path: Path
) -> None:
    contract, report = contract_of("file"), delivered(home, agencies, "file")
    old = max(nightly.outbox(home).glob("ELIG_*.dat"))
    for suffix in (".dat", SIDECAR):
        shutil.copy(old.with_suffix(suffix), tmp_path / f"ELIG_20991231{suffix}")
    again = of_file(tmp_path / "ELIG_20991231.dat", report.statements[0].content)
    assert again.token == report.statements[0].token, "the holder's own signature over the very same bytes"
    with pytest.raises(SourceError):
        record_delivery(run, contract, replace(report, statements=(again,)))


def test_a_holder_whose_key_is_not_known_counts_as_unsigned(run: Run, home: Path, agencies: Endpoints) -> None:
    """Its signature proves nothing to us, so nothing is kept of it, and nothing refused for it."""
    contract, report = contract_of("rest"), delivered(home, agencies, "rest")
    known = json.loads((home / "keys" / "trusted.json").read_text(encoding="utf-8"))
    del known["partners"]["mohw"]
    for name, text in (("trusted.json", json.dumps(known)), ("linking.key", "00" * 32)):
        (run.settings.home_path / name).write_text(text, encoding="utf-8")
    own = ConsentSettings(trust_file=str(run.settings.home_path / "trusted.json"))
    strange = replace(run, settings=replace(run.settings, consent=own))
    assert record_delivery(strange, contract, report) is None
    told(strange, contract, report)
    assert [d.what for d in reconcile(strange) if d.dataset == contract.dataset] == ["unsigned"]


def test_a_pull_that_was_tried_again_under_its_id_agrees_with_both(run: Run, home: Path, agencies: Endpoints) -> None:
    contract, report = contract_of("rest"), delivered(home, agencies, "rest")
    more = replace(report, received=report.received + 7)
    for one in (more, report):
        told(run, contract, one)
    record_delivery(run, contract, report)
    assert [d for d in reconcile(run) if d.dataset == contract.dataset] == []


def test_another_holders_signature_refuses_the_delivery(run: Run, home: Path, agencies: Endpoints) -> None:
    report = delivered(home, agencies, "rest")
    with pytest.raises(SourceError):
        record_delivery(run, contract_of("court_xml"), report)


def test_a_holder_that_counts_otherwise_is_a_finding_once(run: Run, home: Path, agencies: Endpoints) -> None:
    faults.inject(home, "mohw", miscount=True)
    contract, report = contract_of("rest"), delivered(home, agencies, "rest")
    faults.heal(home)
    record_delivery(run, contract, report)
    told(run, contract, report)
    signed = report.received + len(report.statements)
    wanted = Difference(contract.dataset, run.run_id, "count_differs", signed, report.received)
    assert wanted in reconcile(run)
    assert wanted in reconcile(run)
    assert [b["what"] for b in bodies.bodies(run.conn, BodyKind.FINDING) if b["dataset"] == contract.dataset] == [
        "count_differs"
    ]


def test_a_delivery_that_was_not_signed_or_not_recorded_is_a_finding(run: Run, home: Path, agencies: Endpoints) -> None:
    faults.inject(home, "mohw", unsigned=True)
    rest, report = contract_of("rest"), delivered(home, agencies, "rest")
    faults.heal(home)
    assert record_delivery(run, rest, report) is None
    told(run, rest, report)
    court = contract_of("court_xml")
    record_delivery(run, court, delivered(home, agencies, "court_xml"))
    assert {d.what for d in reconcile(run)} == {"unsigned"}, "its pull may not be done yet"
    end = run.at() + LONGEST_PULL + timedelta(seconds=1)
    found = {(d.dataset, d.what) for d in reconcile(replace(run, at=lambda: end))}
    assert {(rest.dataset, "unsigned"), (court.dataset, "not_recorded")} <= found
