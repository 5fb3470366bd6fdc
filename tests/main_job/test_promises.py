"""The promises, held against a country that was run once: P1, P4, P5, P6, P8, P10."""

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from consent import applications, ledger, vault
from consent.shadow import Verdict
from exchange.agreement import report
from exchange.shadow import compare
from hanbeon import demo, demo_papers
from lake import layout, tables
from lake.erase import scan
from pipeline import staging
from pipeline.bronze import quarantine_schema
from pipeline.commit import commit
from pipeline.erase import erase
from pipeline.gold import share_schema
from pipeline.publish import documents, gold_plans, publish, shares, standardise
from pipeline.pull import pull
from schemas.contract import gold, published, source, sources
from schemas.services import service, services
from schemas.statutes import shared_already
from tests.main_job.conftest import Country
from tests.main_job.holding import held, rows_of, values_of
from tests.main_job.lawful import covered
from tests.main_job.regranting import regrant


def test_p1_every_row_and_every_value_of_lake_and_quarantine_is_covered(korea: Country) -> None:
    lawful = covered(ledger.snapshot(korea.run.conn), korea.run.at())
    assert lawful
    seen = 0
    personal = [(f"bronze/{c.dataset}", c, c.bronze_schema) for c in sources()]
    personal += [(f"quarantine/{c.dataset}", c, quarantine_schema(c)) for c in sources()]
    personal += [(f"gold/{c.name}", c, c.gold_schema) for c in documents()]
    for name, contract, schema in personal:
        for row in held(korea, name, schema):
            columns = lawful.get((contract.document_type, row["_subject_key"], row["_variant"]), set())
            assert columns, f"{name} holds a row that nothing covers"
            assert set(values_of(row, contract)) <= columns, f"{name} holds a value that nothing covers"
            seen += 1
    assert seen > 100


def test_p1_a_share_holds_only_what_its_own_recipient_may_see(korea: Country) -> None:
    snapshot = ledger.snapshot(korea.run.conn)
    keys = sorted(set(snapshot.authorisations.column("_subject_key").to_pylist()))
    seen = 0
    for recipient, contract in shares():
        lawful = covered(snapshot, korea.run.at(), recipient)
        raw = [k.to_bytes(8, "little", signed=True) for k in keys]
        hashed = vault.keyed_hashes(korea.run.secrets, f"pairwise:{recipient}", raw)
        key_of = {h[:16]: k for h, k in zip(hashed, keys, strict=True)}
        for row in held(korea, f"shares/{recipient}/{contract.name}", share_schema(contract, recipient)):
            of_subject = [
                c for (d, k, _), c in lawful.items() if (d, k) == (contract.document_type, key_of[row["_pairwise_id"]])
            ]
            assert set(values_of(row, contract)) <= set().union(*of_subject)
            seen += 1
    assert seen > 50


def test_every_row_names_a_witness_that_covers_it(korea: Country) -> None:
    names = {
        (r["authorisation_id"], r["document_type"], r["_subject_key"])
        for r in ledger.snapshot(korea.run.conn).authorisations.to_pylist()
    }
    for contract in documents():
        for row in held(korea, f"gold/{contract.name}", contract.gold_schema):
            assert (row["_authorisation_id"], contract.document_type, row["_subject_key"]) in names


def everybody(korea: Country) -> list[str]:
    """Every resident number of the world, dead or alive."""
    files = sorted((korea.home / "agencies/world/base/persons").glob("*.parquet"))
    return sorted(set(pl.read_parquet(files).get_column("rrn").drop_nulls().to_list()))


def test_p10_no_resident_number_of_the_world_is_in_any_file_of_the_lake(korea: Country) -> None:
    numbers = everybody(korea)
    assert len(numbers) >= 400
    assert scan(korea.settings.lake_root, numbers) == []


def test_the_scan_does_find_a_number_that_is_there(korea: Country) -> None:
    """The scan above can fail: the agencies' own files hold the numbers."""
    assert scan(korea.home / "agencies/nhis", everybody(korea))


def test_p8_no_name_or_address_stands_in_a_delta_log(korea: Country) -> None:
    names = {r["HSHLDR_NM"] for r in held(korea, "gold/household_extract", gold("household_extract").gold_schema)}
    addresses = {
        r["ROAD_NM_ADDR"] for r in held(korea, "gold/household_extract", gold("household_extract").gold_schema)
    }
    for name in layout.table_names(korea.settings.lake_root):
        for path in (layout.table_path(korea.settings.lake_root, name) / "_delta_log").glob("*.json"):
            text = path.read_text(encoding="utf-8")
            assert not [n for n in (names | addresses) - {None} if n in text]


def test_single_parents_bundles_complete_from_ministry_tax_and_court_data(korea: Country) -> None:
    rows = held(korea, "gold/service_bundles", gold("service_bundles").gold_schema)
    complete = {r["APLY_NO"] for r in rows if r["SRVC_NO"] == "SINGLE_PARENT" and r["BNDL_CMPTN_YN"] == "Y"}
    assert complete
    states = {r["RQDOC_STTS_NM"] for r in rows if r["APLY_NO"] in complete}
    assert states == {"satisfied_by_data"}


def versions(korea: Country) -> dict[str, int | None]:
    root = korea.settings.lake_root
    return {n: tables.version(root, n) for n in layout.table_names(root) if not n.startswith("ops/")}


def test_p6_a_second_run_changes_no_row_and_writes_no_version(korea: Country) -> None:
    before = versions(korea)
    again = korea.again("second")
    assert {s.verdict for s in again} <= {"passed", "unchanged"}
    assert versions(korea) == before


def test_asset_events_carry_counts_and_nothing_personal(korea: Country) -> None:
    for summary in korea.summaries:
        event = summary.as_event()
        assert event["run_id"] == "first"
        json.dumps(event)
        assert not scan_text(json.dumps(event, ensure_ascii=False), everybody(korea))


def scan_text(text: str, needles: list[str]) -> list[str]:
    return [n for n in needles if n in text]


def test_p4_withdrawing_one_of_two_consents_takes_just_what_the_other_does_not_cover(korea: Country) -> None:
    run = korea.run_as("withdrawal")
    found = demo.family(run)
    assert found is not None
    application_id, other = found
    key = applications.get(run.conn, application_id)["applicant_key"]
    lines, history = gold("income_certificate__lines"), gold("health_insurance_history")
    own = [r for r in held(korea, "gold/income_certificate__lines", lines.gold_schema) if r["_subject_key"] == key]
    assert any(r["TXBS_AMT"] is not None and r["EARN_AMT"] is not None for r in own)
    gone = [r for r in held(korea, "gold/health_insurance_history", history.gold_schema) if r["_subject_key"] == key]
    assert gone
    ledger.withdraw(run.conn, other, run.at())
    summary = erase(run)
    assert summary.counts["residue"] == 0
    assert summary.counts["rows_narrowed"] > 0
    own = [r for r in held(korea, "gold/income_certificate__lines", lines.gold_schema) if r["_subject_key"] == key]
    assert all(r["TXBS_AMT"] is None for r in own)
    assert any(r["EARN_AMT"] is not None for r in own)
    assert not [
        r for r in held(korea, "gold/health_insurance_history", history.gold_schema) if r["_subject_key"] == key
    ]
    needles = [gone[0]["_evidence_id"], gone[0]["HIC_NO"], *(r["_evidence_id"] for r in gone)]
    assert scan(korea.settings.lake_root, [n for n in needles if n]) == []


def test_p5_f40_a_rerun_does_not_bring_back_what_was_withdrawn_and_a_new_grant_does(korea: Country) -> None:
    run = korea.run_as("f40")
    key, granted = one_pensioner(korea)
    ledger.withdraw(run.conn, granted["authorisation_id"], run.at())
    korea.again("after-withdrawal")
    table = gold("disability_certificate")
    assert key not in {r["_subject_key"] for r in held(korea, "gold/disability_certificate", table.gold_schema)}
    again = regrant(run, granted["authorisation_id"], run.at())
    assert again != granted["authorisation_id"]
    korea.again("after-new-grant")
    assert key in {r["_subject_key"] for r in held(korea, "gold/disability_certificate", table.gold_schema)}


def one_pensioner(korea: Country) -> tuple[int, dict[str, Any]]:
    """Somebody whose certificate is held under one authorisation alone."""
    snapshot = ledger.snapshot(korea.run.conn)
    rows = [r for r in snapshot.authorisations.to_pylist() if r["document_type"] == "DISB"]
    counts = Counter(r["_subject_key"] for r in rows)
    for row in rows:
        if (
            row["service"] == "DISABILITY_PENSION"
            and counts[row["_subject_key"]] == 1
            and row["state"] == "granted"
            and row["valid_from"] <= korea.run.at() < row["valid_until"]
        ):
            return row["_subject_key"], row
    raise AssertionError("nobody has a disability pension")


def test_p6_a_publication_that_died_between_gold_and_shares_is_done_again(korea: Country) -> None:
    """Gold is as bronze says then, and what waited may have been erased: shares and bundles must follow."""
    run = korea.run_as("half-published")
    key, granted = one_pensioner(korea)
    name, schema = "shares/mohw/disability_certificate", share_schema(gold("disability_certificate"), "mohw")
    before = rows_of(korea, name, schema)
    ledger.withdraw(run.conn, granted["authorisation_id"], run.at())
    korea.again("without-the-pensioner")
    assert rows_of(korea, name, schema) == before - 1
    regrant(run, granted["authorisation_id"], run.at())
    pull(run, source("DISB").dataset)
    standardise(run)
    staged = staging.read(run)
    assert staged is not None
    commit(run, [p for p in gold_plans(run, staged) if p.table == "gold/disability_certificate"], {})
    staging.discard(run)
    korea.again("after-the-death")
    assert rows_of(korea, name, schema) == before
    bundles = held(korea, "gold/service_bundles", gold("service_bundles").gold_schema)
    own = [r for r in bundles if r["_subject_key"] == key and r["RQDOC_CD"] == "DISB"]
    assert {r["RQDOC_STTS_NM"] for r in own} == {"satisfied_by_data"}


def test_papers_of_the_world_agree_with_the_data_but_for_what_was_planted(korea: Country) -> None:
    """Shadow mode: every fourth paper is misread in one column, and exactly these are found."""
    run, chosen = korea.run_as("shadow"), service("HOUSING_SUBSCRIPTION")
    planted: dict[str, str] = {}
    verdicts: dict[str, dict[str, Verdict]] = {}
    for n, (application, paper) in enumerate(sorted(demo_papers.papers_of(run, chosen, "FAMR"))[:24]):
        if n % 4 == 0:
            planted[application] = ("SELF_FLNM", "relatives.FAM_NM")[n % 8 // 4]
            demo_papers.misread(paper, planted[application])
        found = compare(run, application, "FAMR", paper, "test:case-worker")
        if found.reason is None:
            verdicts[application] = dict(found.verdicts)
    assert len(verdicts) > 10
    different = {a: {p for p, v in own.items() if v is not Verdict.AGREES} for a, own in verdicts.items()}
    assert {a: columns for a, columns in different.items() if columns} == {
        a: {column} for a, column in planted.items() if a in verdicts
    }
    standardise(run)
    publish(run)
    told = next(a for a in report(run, "test:agency") if (a.service, a.document_type) == (chosen.id, "FAMR"))
    assert (told.papers, told.papers - told.agreeing) == (len(verdicts), len(planted.keys() & verdicts.keys()))


def test_decided_applications_count_as_replaced_and_their_rows_are_erased(korea: Country) -> None:
    run = korea.run_as("decisions")
    assert demo.decide(run) > 0
    standardise(run)
    publish(run)
    erase(run)
    replaced = held(korea, "gold/documents_replaced", gold("documents_replaced").gold_schema)
    assert sum(r["SBST_NOCS"] for r in replaced) > 0
    assert all(r["SBST_NOCS"] + r["SBMSN_NOCS"] == r["RQDOC_NOCS"] for r in replaced)
    shared = {s.id: shared_already(s) for s in services()}
    for row in replaced:
        known = shared[row["SRVC_NO"]]
        new = None if known is None else 0 if row["RQDOC_CD"] in known else row["SBST_NOCS"]
        assert row["NEW_SBST_NOCS"] == new
    lawful = covered(ledger.snapshot(run.conn), run.at())
    for contract in documents():
        for row in held(korea, f"gold/{contract.name}", contract.gold_schema):
            assert (contract.document_type, row["_subject_key"], row["_variant"]) in lawful


def test_a_suspended_approval_empties_what_rests_on_it(korea: Country) -> None:
    run = korea.run_as("suspension")
    approval = next(
        a
        for a in ledger.snapshot(run.conn).approvals.to_pylist()
        if (a["document_type"], a["recipient"]) == ("CORR", "scourt")
    )
    name = "shares/scourt/corporate_registration"
    schema = share_schema(gold("corporate_registration"), "scourt")
    assert rows_of(korea, name, schema) > 0
    ledger.suspend_approval(run.conn, approval["approval_id"], run.at())
    erase(run)
    assert rows_of(korea, name, schema) == 0
    ledger.resume_approval(run.conn, approval["approval_id"], run.at())
    korea.again("after-resumption")
    assert rows_of(korea, name, schema) > 0


@pytest.mark.parametrize("document_type", ["HINQ", "INCM"])
def test_f41_within_its_cycle_a_holder_is_asked_once_and_what_it_gave_stands(
    korea: Country, document_type: str
) -> None:
    """The demonstration's demands have no cycle; here they get one, and the instant is that of their last use."""
    contract = source(document_type)
    conn = korea.run.conn
    own = ledger.authorisations(conn, document_type=document_type, service="HOUSING_SUBSCRIPTION").to_pylist()
    used = {r["authorisation_id"] for r in own if r["used_count"] == 1}
    assert used
    assert {r["used_count"] for r in own} <= {0, 1}, "counted once, whatever was run again"
    at = max(r["used_at"] for r in ledger.snapshot(conn).uses.to_pylist()) + timedelta(microseconds=1)
    run = replace(korea.run_as(f"cycle-{document_type}"), at=lambda: at)
    before = held(korea, f"bronze/{contract.dataset}", contract.bronze_schema)
    asked = pull(run, contract.dataset).counts["asked"]
    conn.execute("update authorisations set cycle = 'daily' where service = 'HOUSING_SUBSCRIPTION'")

    again = pull(run, contract.dataset)

    conn.execute("update authorisations set cycle = null where service = 'HOUSING_SUBSCRIPTION'")
    assert again.withheld["not_due"] > 0
    assert again.counts["asked"] == asked - again.withheld["not_due"]
    after = held(korea, f"bronze/{contract.dataset}", contract.bronze_schema)
    assert sorted(r["_evidence_id"] for r in after) == sorted(r["_evidence_id"] for r in before)
    assert before


def test_f41_what_has_expired_is_gone_after_the_next_erasure(korea: Country) -> None:
    """Every authorisation of the demonstration has ended in two years."""
    later = korea.run.at() + timedelta(days=800)
    run = korea.run_as("two-years-later")
    run = type(run)(run.run_id, run.settings, run.conn, run.secrets, lambda: later, run.code_hash)
    erase(run)
    for contract in published():
        if "documentType" in contract.properties:
            assert rows_of(korea, f"gold/{contract.name}", contract.gold_schema) == 0
    for contract in sources():
        assert rows_of(korea, f"bronze/{contract.dataset}", contract.bronze_schema) == 0
