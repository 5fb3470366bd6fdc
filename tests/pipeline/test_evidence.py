"""Of whom what is held may not stand for the paper any more, the holder is asked anew."""

from datetime import timedelta
from typing import Any

import pyarrow as pa

from consent import gate, journal
from consent.journal import PullState
from consent.ledger import snapshot
from hanbeon.clock import seoul_date
from pipeline.commit import Change, Plan, commit
from pipeline.coverage import COVERAGE_SCHEMA
from pipeline.evidence import stale
from pipeline.pull import _former
from schemas.contract import gold, source
from tests.small_lake import Citizen, SmallLake

CLEARANCE = source("LTAXC")


def publish_clearances(lake: SmallLake, *given: tuple[Citizen, str, int]) -> None:
    """Clearances in gold: whose, evidence id, and in how many days its own last day comes."""
    schema, today = gold(CLEARANCE.published).gold_schema, seoul_date(lake.run.at())
    rows: list[dict[str, Any]] = [
        {
            "_subject_key": citizen.key,
            "_key_bucket": 0,
            "_evidence_id": evidence,
            "_variant": "standard",
            "ISSU_YMD": f"{today + timedelta(days=days - 30):%Y%m%d}",
            "VLD_PRD_EXPRY_YMD": f"{today + timedelta(days=days):%Y%m%d}",
        }
        for citizen, evidence, days in given
    ]
    table = pa.Table.from_pylist(rows, schema=schema)
    name = f"gold/{CLEARANCE.published}"
    commit(lake.run, [Plan(name, schema, lambda _: Change(table, frozenset({0})), partitioned=True)], {})


def test_whose_evidence_is_over_is_asked_as_if_for_the_first_time(own_lake: SmallLake) -> None:
    run, one, two, three = own_lake.run, own_lake.one, own_lake.two, own_lake.three
    publish_clearances(own_lake, (one, "over", -1), (two, "today", 0), (three, "old", -40), (three, "new", 20))
    assert stale(run, CLEARANCE).to_pylist() == [one.key]
    assert stale(run, source("FAMR")).to_pylist() == []  # no term ends
    rows = [{"_subject_key": c.key, "_variant": "standard", "columns": ["ISSU_NO"]} for c in (one, two, three)]
    state = PullState(CLEARANCE.dataset, "watermark", 1, pa.Table.from_pylist(rows, schema=COVERAGE_SCHEMA))
    call = journal.Call("call", "run", None, "code", 1)
    intent = journal.open_intent(run.conn, call, f"bronze/{CLEARANCE.dataset}", 0, state)
    journal.close_intent(run.conn, intent, "unchanged")
    found = snapshot(run.conn)
    former = _former(run, CLEARANCE, found, gate.allowed(found, run.at(), "LTAXC"))
    assert former.watermark == "watermark"
    assert set(former.asked.column("_subject_key").to_pylist()) == {two.key, three.key}
