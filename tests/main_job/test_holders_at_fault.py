"""F20 to F23 through the whole walk: a holder misbehaves, and what is published stays as it was.

The faults are switched on at the simulated holders, so real servers, views and files misbehave.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hanbeon.errors import BatchRefused, HanbeonError, SchemaDrift, SourceError
from lake import layout, tables
from pipeline.bronze import quarantine_schema
from pipeline.pull import pull
from schemas.contract import source
from sources.simulate import faults, world
from tests.main_job.conftest import Country

DAY = 1


@pytest.fixture(scope="module", autouse=True)
def a_day_later(korea: Country) -> None:
    """So that every holder has something new to say, and a watermark has somewhere to move."""
    world.advance(korea.home, DAY)


@contextmanager
def at_fault(korea: Country, holder: str, **switches: Any) -> Iterator[None]:
    faults.inject(korea.home, holder, **switches)
    try:
        yield
    finally:
        faults.heal(korea.home)


def published(korea: Country) -> dict[str, int | None]:
    root = korea.settings.lake_root
    return {n: tables.version(root, n) for n in layout.table_names(root) if n.split("/")[0] in ("gold", "shares")}


def bronze_version(korea: Country, document_type: str) -> int | None:
    return tables.version(korea.settings.lake_root, f"bronze/{source(document_type).dataset}")


def subjects(korea: Country, document_type: str) -> set[int]:
    contract = source(document_type)
    rows = tables.read(korea.settings.lake_root, f"bronze/{contract.dataset}", schema=contract.bronze_schema)
    return set(rows.column("_subject_key").to_pylist())


@pytest.mark.parametrize(
    ("document_type", "switches"),
    [
        ("HINQ", {"truncate": True}),
        ("HINQ", {"wrong_count": True}),
        ("HINQ", {"bad_sha": True}),
        ("DISB", {"wrong_count": True}),
        ("DISB", {"error_body_200": True}),
        ("DISB", {"truncate": True}),
        ("FAMR", {"looping_page": True}),
        ("CORR", {"redirect": True}),
    ],
    ids=lambda v: v if isinstance(v, str) else next(iter(v)),
)
def test_f20_a_delivery_that_is_not_whole_changes_nothing(
    korea: Country, document_type: str, switches: dict[str, Any]
) -> None:
    contract = source(document_type)
    before, shown = bronze_version(korea, document_type), published(korea)
    with at_fault(korea, contract.holder, **switches), pytest.raises(SourceError) as failed:
        pull(korea.run_as(f"fault-{document_type}-{next(iter(switches))}"), contract.dataset)
    assert bronze_version(korea, document_type) == before
    assert published(korea) == shown
    assert contract.holder in str(failed.value)


@pytest.mark.parametrize("document_type", ["DISB", "FAMR"])
def test_f21_strangers_and_extra_columns_are_dropped_and_counted(korea: Country, document_type: str) -> None:
    contract = source(document_type)
    before = subjects(korea, document_type)
    with at_fault(korea, contract.holder, strangers=True, extra_columns=True):
        summary = pull(korea.run_as(f"strangers-{document_type}"), contract.dataset)
    assert summary.withheld["not_requested"] > 0
    assert subjects(korea, document_type) <= before


def test_f22_a_renamed_column_stops_that_dataset_and_no_other(korea: Country) -> None:
    shown = published(korea)
    with at_fault(korea, "mois", renamed_column=True):
        with pytest.raises(SchemaDrift) as failed:
            pull(korea.run_as("drift"), "mois/resident_register")
        other = pull(korea.run_as("drift"), "nts/income")
    assert other.verdict in ("passed", "unchanged")
    assert published(korea) == shown
    assert "mois:resident_register" in str(failed.value) or "mois/resident_register" in str(failed.value)


def test_f22_unknown_codes_past_the_threshold_refuse_the_batch(korea: Country) -> None:
    """Everybody is asked for anew, so that every record comes with the unknown code."""
    shown, before = published(korea), bronze_version(korea, "DISB")
    with at_fault(korea, "mohw", unknown_code=True):
        forget_pulls(korea, "mohw/disability")
        with pytest.raises(BatchRefused) as failed:
            pull(korea.run_as("codes"), "mohw/disability")
    assert bronze_version(korea, "DISB") == before
    assert published(korea) == shown
    assert "contract" in str(failed.value)


def test_f22_a_few_unknown_codes_go_to_quarantine_and_leave_it_when_they_are_mended(korea: Country) -> None:
    contract = source("FAMR")
    with at_fault(korea, "scourt", unknown_code=True, every=40):
        forget_pulls(korea, contract.dataset)
        summary = pull(korea.run_as("few-codes"), contract.dataset)
    schema = quarantine_schema(contract)
    held = tables.read(korea.settings.lake_root, f"quarantine/{contract.dataset}", schema=schema)
    assert held.num_rows == summary.counts["quarantined"] > 0
    assert all(reasons for reasons in held.column("_reasons").to_pylist())
    forget_pulls(korea, contract.dataset)
    pull(korea.run_as("mended"), contract.dataset)
    assert tables.read(korea.settings.lake_root, f"quarantine/{contract.dataset}", schema=schema).num_rows == 0


def test_f23_a_poison_record_is_withheld_and_the_rest_goes_on(korea: Country) -> None:
    contract = source("DISB")
    with at_fault(korea, "mohw", poison="nul", every=2):  # whose consents stand is chance: of many one is hit
        forget_pulls(korea, contract.dataset)
        summary = pull(korea.run_as("poison"), contract.dataset)
    assert summary.withheld.get("nul", 0) > 0
    assert summary.counts["good"] > 0


def test_f29_one_holder_that_fails_holds_up_no_other(korea: Country) -> None:
    with at_fault(korea, "scourt", error_body_200=True):
        summaries = korea.again("one-fails")
    failed = {s.dataset for s in summaries if s.verdict == "failed"}
    assert failed >= {"scourt/family_register", "scourt/corporate_register"}
    assert {str(dataset).partition("/")[0] for dataset in failed} == {"scourt"}
    assert next(s.verdict for s in summaries if s.verb == "publish") in ("passed", "unchanged")
    assert all(s.message for s in summaries if s.verdict == "failed")


def test_messages_of_failures_hold_no_number_of_a_person(korea: Country) -> None:
    import re

    with at_fault(korea, "mohw", error_body_200=True), pytest.raises(HanbeonError) as failed:
        pull(korea.run_as("message"), "mohw/disability")
    assert not re.search(r"\d{6}-?\d{7}", str(failed.value))


def forget_pulls(korea: Country, dataset: str) -> None:
    korea.run.conn.execute("delete from pull_states where dataset = %s", [dataset])
