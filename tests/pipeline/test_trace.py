"""From a row back to consent and source, and from a consent forward to rows, readers and erasures (P3)."""

import pytest

from consent import accesses, ledger
from hanbeon.errors import Refused, UsageError
from lake import tables
from lake.files import sha256
from pipeline import reading
from pipeline.commit import commit
from pipeline.trace import trace_application, trace_authorisation, trace_row
from schemas.contract import gold, source
from tests.small_lake import SmallLake, publish_again

FAMR = source("FAMR")
GOLD = "gold/family_relation_certificate"
SHARE = "shares/mogef/family_relation_certificate"
BRONZE = f"bronze/{FAMR.dataset}"


def gold_row(lake: SmallLake, key: int) -> dict[str, object]:
    rows = reading.read(lake.run, GOLD, gold("family_relation_certificate").gold_schema).to_pylist()
    return next(r for r in rows if r["_subject_key"] == key)


def share_id(lake: SmallLake, consent: str | None) -> str:
    found = trace_authorisation(lake.run, consent or "", "setup").rows
    return next(r.evidence_id for r in found if r.table == SHARE)


def test_a_gold_row_leads_to_authorisations_source_pull_contract_verdict_and_leaf(own_lake: SmallLake) -> None:
    row = gold_row(own_lake, own_lake.one.key)

    found = trace_row(own_lake.run, GOLD, str(row["_evidence_id"]), "auditor")

    assert [s.table for s in found.standings] == [GOLD, BRONZE]
    assert {a.authorisation_id for a in found.authorisations} == {own_lake.one.consent, own_lake.one.second_consent}
    assert found.authorisations[0].is_witness
    assert all(a.flows and a.approvals and a.events[0].kind == "granted" for a in found.authorisations)
    assert found.row["_source_record_hash"] == row["_source_record_hash"]
    assert found.pull is not None
    assert (found.pull["verb"], found.pull["dataset"]) == ("pull", FAMR.dataset)
    assert found.verdicts
    assert {v["contract_digest"] for v in found.verdicts} == {found.contract_digest} == {FAMR.digest}
    assert found.is_contract_current


def test_the_leaf_of_a_row_pins_the_very_file_that_holds_it(own_lake: SmallLake) -> None:
    row = gold_row(own_lake, own_lake.one.key)
    standing = trace_row(own_lake.run, GOLD, str(row["_evidence_id"]), "auditor").standings[0]

    root = own_lake.run.settings.lake_root
    added = {f.path: f.sha256 for f in tables.added_files(root, GOLD, standing.leaf_version)}
    assert added[standing.file] == standing.file_sha256
    assert standing.commit_sha256 == sha256(tables.commit_path(root, GOLD, standing.leaf_version))


def test_a_share_row_leads_back_through_gold_to_bronze_although_its_ids_differ(own_lake: SmallLake) -> None:
    evidence = share_id(own_lake, own_lake.one.consent)

    found = trace_row(own_lake.run, SHARE, evidence, "auditor")

    assert [s.table for s in found.standings] == [SHARE, GOLD, BRONZE]
    assert found.standings[1].evidence_id == gold_row(own_lake, own_lake.one.key)["_evidence_id"] != evidence
    assert [a.authorisation_id for a in found.authorisations] == [own_lake.one.consent]


def test_a_bronze_row_and_a_line_can_be_traced(own_lake: SmallLake) -> None:
    evidence = str(gold_row(own_lake, own_lake.two.key)["_evidence_id"])

    assert trace_row(own_lake.run, BRONZE, evidence, "auditor").standings[0].table == BRONZE
    assert trace_row(own_lake.run, f"{GOLD}__relatives", evidence, "auditor").standings[0].lines == 1


def test_a_trace_holds_no_content(own_lake: SmallLake) -> None:
    row = gold_row(own_lake, own_lake.one.key)

    assert own_lake.one.name not in repr(trace_row(own_lake.run, GOLD, str(row["_evidence_id"]), "auditor"))


def test_an_authorisation_leads_to_every_row_that_it_covers_and_to_no_other(own_lake: SmallLake) -> None:
    found = trace_authorisation(own_lake.run, own_lake.two.consent or "", "auditor")

    assert {r.table for r in found.rows} == {BRONZE, GOLD, f"{GOLD}__relatives", SHARE, f"{SHARE}__relatives"}
    assert all(r.is_covered and r.is_witness for r in found.rows)
    of_lake = {r.evidence_id for r in found.rows if not r.table.startswith("shares/")}
    assert of_lake == {gold_row(own_lake, own_lake.two.key)["_evidence_id"]}


def test_withdrawn_rows_are_named_until_they_are_gone(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    ledger.withdraw(run.conn, two.consent or "", run.at())

    due = trace_authorisation(run, two.consent or "", "auditor")
    assert {a.reason for a in due.authorisations} == {"withdrawn"}
    assert due.rows
    assert not any(r.is_covered for r in due.rows)
    publish_again(run)
    left = trace_authorisation(run, two.consent or "", "auditor").rows
    assert {r.table for r in left} == {BRONZE, GOLD, f"{GOLD}__relatives"}


def test_of_two_overlapping_consents_the_other_still_covers_the_row(own_lake: SmallLake) -> None:
    run, one = own_lake.run, own_lake.one
    ledger.withdraw(run.conn, one.consent or "", run.at())

    found = trace_row(run, GOLD, str(gold_row(own_lake, one.key)["_evidence_id"]), "auditor")

    reasons = {a.authorisation_id: a.reason for a in found.authorisations}
    assert reasons == {one.consent: "withdrawn", one.second_consent: None}


def test_an_application_leads_to_its_authorisations_papers_and_readers(own_lake: SmallLake) -> None:
    one = own_lake.one
    found = trace_application(own_lake.run, one.application or "", "auditor")

    assert [a.authorisation_id for a in found.authorisations] == [one.consent]
    assert [e.kind for e in found.events] == ["application_opened"]
    assert found.readers[-1]["access_id"] == found.access_id


def test_every_trace_is_recorded_before_it_is_answered_p9(own_lake: SmallLake) -> None:
    run, one = own_lake.run, own_lake.one
    evidence = str(gold_row(own_lake, one.key)["_evidence_id"])
    trace_row(run, GOLD, evidence, "auditor")
    with pytest.raises(UsageError):
        trace_row(run, GOLD, "0" * 32, "auditor")
    with pytest.raises(UsageError):
        trace_authorisation(run, "C-NOBODY", "auditor")
    with pytest.raises(UsageError):
        trace_application(run, "A-NOBODY", "auditor")

    found = accesses.listing(run.conn, reader="auditor").to_pylist()

    assert [a["is_granted"] for a in found] == [True, False, False, False]
    assert found[0]["_subject_key"] == one.key
    assert found[0]["authorisation_id"] in (one.consent, one.second_consent)


def test_no_record_no_trace_f62(own_lake: SmallLake) -> None:
    evidence = str(gold_row(own_lake, own_lake.one.key)["_evidence_id"])
    own_lake.run.conn.execute("drop table accesses")

    with pytest.raises(Refused):
        trace_row(own_lake.run, GOLD, evidence, "auditor")


@pytest.mark.parametrize("table", ["gold/nope", "ledger/events", "../etc", "", "gold/service_bundles", "shares/x/y"])
def test_another_table_is_refused(own_lake: SmallLake, table: str) -> None:
    with pytest.raises(UsageError, match="no table of evidence"):
        trace_row(own_lake.run, table, "0" * 32, "auditor")


def test_findings_name_what_disagrees_f8(own_lake: SmallLake) -> None:
    run = own_lake.run
    assert reading.findings(run) == []
    commit_file = tables.commit_path(run.settings.lake_root, GOLD, tables.version(run.settings.lake_root, GOLD) or 0)
    commit_file.write_bytes(commit_file.read_bytes() + b"\n")

    assert reading.findings(run) == [f"{GOLD}: the commit file of version 1 is not what its leaf says."]


def test_readers_see_nothing_beyond_the_pointer(own_lake: SmallLake) -> None:
    """A table that no pointer generation names has no row for a reader."""
    schema = gold("income_certificate").gold_schema
    commit(own_lake.run, [], {})
    tables.create(own_lake.run.settings.lake_root, "gold/income_certificate", schema, True, {}, 1)

    assert reading.read(own_lake.run, "gold/income_certificate", schema).num_rows == 0
