"""Former states of a record, from bronze to the case worker: kept while covered, read by who asks for them (F24)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from consent import accesses, ledger
from exchange.bundle import Document, open_bundle
from hanbeon.errors import UsageError
from lake import tables
from lake.erase import scan
from pipeline import holding
from pipeline.erase import erase
from pipeline.evidence import evidence
from pipeline.gold import share_schema
from pipeline.trace import trace_authorisation, trace_row
from schemas.contract import gold
from tests.pipeline.test_holding import place
from tests.small_lake import FAMR, SmallLake, tell_again

PARENT = gold(FAMR.published)
GOLD, SHARE = f"gold/{PARENT.name}", f"shares/mogef/{PARENT.name}"
HOUR = timedelta(hours=1)
NEW = "이드리"


def of_two(lake: SmallLake) -> list[dict[str, Any]]:
    """The states of the second citizen's certificate in gold, the oldest first."""
    rows = tables.read(lake.run.settings.lake_root, GOLD, schema=PARENT.gold_schema).to_pylist()
    return sorted((r for r in rows if r["_subject_key"] == lake.two.key), key=lambda r: r["_observed_at"])


def shared_names(lake: SmallLake) -> list[str]:
    schema = share_schema(PARENT, "mogef")
    return list(tables.read(lake.run.settings.lake_root, SHARE, schema=schema).column("SELF_FLNM").to_pylist())


@pytest.fixture
def renamed(own_lake: SmallLake) -> SmallLake:
    """An hour after the first state the holder's record of the second citizen says another name; a day has passed."""
    first = of_two(own_lake)[0]["_observed_at"]
    tell_again(own_lake.run, {own_lake.two.key: NEW}, first + HOUR)
    return replace(own_lake, run=replace(own_lake.run, at=lambda: first + 24 * HOUR))


def certificate(lake: SmallLake, as_of: datetime | None = None) -> Document:
    bundle = open_bundle(lake.run, str(lake.two.application), "kim", as_of)
    return next(d for d in bundle.documents if d.document_type == "FAMR")


def name_in(document: Document) -> str:
    return next(v.text for v in document.copies[0].values if v.name == "SELF_FLNM")


def test_f24_gold_holds_both_states_and_a_share_the_present_one_alone(renamed: SmallLake) -> None:
    first, second = of_two(renamed)
    assert (first["SELF_FLNM"], first["_valid_to"]) == (renamed.two.name, second["_observed_at"])
    assert (second["SELF_FLNM"], second["_valid_to"]) == (NEW, None)
    assert first["_evidence_id"] != second["_evidence_id"]
    assert renamed.two.name not in shared_names(renamed)
    assert NEW in shared_names(renamed)
    assert name_in(certificate(renamed)) == NEW


def test_f24_a_case_worker_sees_what_the_evidence_said_at_an_instant(renamed: SmallLake) -> None:
    first, second = of_two(renamed)
    change, microsecond = second["_observed_at"], timedelta(microseconds=1)
    told = [certificate(renamed, at) for at in (first["_observed_at"], change - microsecond, change)]
    assert [name_in(d) for d in told] == [renamed.two.name, renamed.two.name, NEW]
    assert [d.copies[0].valid_to for d in told] == [change, change, None]
    assert [len(d.copies) for d in told] == [1, 1, 1]
    assert told[0].copies[0].groups[0].rows == certificate(renamed).copies[0].groups[0].rows
    before = certificate(renamed, first["_observed_at"] - microsecond)
    assert (before.state, before.reason, before.copies) == ("missing", "nothing_then", ())
    with pytest.raises(UsageError, match="has passed"):
        certificate(renamed, renamed.run.at() + microsecond)


def test_p9_a_read_as_of_an_instant_is_recorded_with_it(renamed: SmallLake) -> None:
    then = of_two(renamed)[0]["_observed_at"]
    open_bundle(renamed.run, str(renamed.two.application), "kim", then)
    asked = accesses.listing(renamed.run.conn, application_id=renamed.two.application).column("asked").to_pylist()
    assert set(asked) == {f"bundle as of {then:%Y-%m-%dT%H:%M:%S.%fZ}"}


def test_p4_a_former_state_is_read_under_the_consent_of_now(renamed: SmallLake) -> None:
    ledger.withdraw(renamed.run.conn, str(renamed.two.consent), renamed.run.at())
    document = certificate(renamed, of_two(renamed)[0]["_observed_at"])
    assert (document.copies, document.reason) == ((), "withdrawn")


def test_p3_a_former_state_is_traced_and_listed_with_its_interval(renamed: SmallLake) -> None:
    first, second = of_two(renamed)
    found = trace_row(renamed.run, GOLD, first["_evidence_id"], "an auditor")
    assert (found.row["_observed_at"], found.row["_valid_to"]) == (first["_observed_at"], second["_observed_at"])
    assert [s.table for s in found.standings] == [GOLD, f"bronze/{FAMR.dataset}"]
    rows = trace_authorisation(renamed.run, str(renamed.two.consent), "an auditor").rows
    told = {(r.evidence_id, r.valid_from, r.valid_to) for r in rows if r.table == GOLD}
    assert told == {(s["_evidence_id"], s["_observed_at"], s["_valid_to"]) for s in (first, second)}
    assert [(r.valid_from, r.valid_to) for r in rows if r.table == SHARE] == [(second["_observed_at"], None)]


def test_p3_the_id_of_a_state_that_a_share_held_before_leads_to_gold(renamed: SmallLake) -> None:
    first, second = of_two(renamed)
    then, now = (certificate(renamed, s["_observed_at"]).copies[0].evidence_id for s in (first, second))
    found = [trace_row(renamed.run, SHARE, one, "an auditor") for one in (then, now)]
    assert [(f.table, f.row["_evidence_id"]) for f in found] == [
        (GOLD, first["_evidence_id"]),
        (SHARE, second["_evidence_id"]),
    ]


def test_p4_a_withdrawal_takes_every_state(renamed: SmallLake) -> None:
    run, root = renamed.run, renamed.run.settings.lake_root
    ids = [r["_evidence_id"] for r in of_two(renamed)]
    ledger.withdraw(run.conn, str(renamed.two.consent), run.at())
    assert erase(run).counts["residue"] == 0
    assert of_two(renamed) == []
    assert scan(root, [*ids, renamed.two.name, NEW]) == []


def test_f24_a_deletion_takes_every_state_from_gold_and_late_ones_do_not_return(renamed: SmallLake) -> None:
    first, second = of_two(renamed)
    tell_again(renamed.run, {renamed.two.key: ""}, second["_observed_at"] + HOUR, is_deleted=True)
    assert of_two(renamed) == []
    tell_again(renamed.run, {renamed.two.key: "늦은이름"}, second["_observed_at"] + HOUR / 2)
    assert of_two(renamed) == []
    assert certificate(renamed, first["_observed_at"]).reason == "nothing_then"


def test_what_bundles_count_as_evidence_is_the_present_state(renamed: SmallLake) -> None:
    needed = pa.table({"document_type": ["FAMR"]})
    now = [r for r in evidence(renamed.run, needed).to_pylist() if r["_subject_key"] == renamed.two.key]
    then = evidence(renamed.run, needed, of_two(renamed)[0]["_observed_at"]).to_pylist()
    assert [r["_evidence_id"] for r in now] == [of_two(renamed)[1]["_evidence_id"]]
    assert of_two(renamed)[0]["_evidence_id"] in {r["_evidence_id"] for r in then}


def test_a_state_that_only_ended_is_not_kept_apart_under_a_hold(renamed: SmallLake) -> None:
    place(renamed)
    assert holding.keep(renamed.run) == 0
