"""Publishing what waits: the ledger moved meanwhile, a publication died, an erasure came between (P1, P5, P6, P7)."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from consent import accesses, applications, ledger
from consent.accesses import Access, Action
from consent.model import Decision
from consent.snapshot import AUTHORISATIONS_SCHEMA
from hanbeon.errors import BatchRefused
from hanbeon.settings import PROJECT
from lake import tables
from pipeline import staging
from pipeline.lease import leases
from pipeline.ledger_copy import copy_ledger
from pipeline.operations import is_unpublished, last_published, record, runs
from pipeline.publish import gold_plans, publish
from pipeline.run import Run, open_run
from pipeline.staging import Staged
from pipeline.summary import Summary
from schemas.contract import gold, marts, sources
from tests.small_lake import Citizen, SmallLake

BUNDLES = gold("service_bundles").gold_schema
FAMR = gold("family_relation_certificate")


def evidence_of(run: Run, citizen: Citizen) -> str:
    rows = tables.read(run.settings.lake_root, f"gold/{FAMR.name}", schema=FAMR.gold_schema).to_pylist()
    return next(str(r["_evidence_id"]) for r in rows if r["_subject_key"] == citizen.key)


def stage(run: Run, digest: str = "digest", **tables: pa.Table) -> None:
    """A standardisation that recomputed nobody."""
    nobody = pa.table({"_subject_key": pa.array([], pa.int64())})
    recomputed = {c.document_type: nobody for c in sources()}
    made = {c.name: c.gold_schema.empty_table() for c in marts()} | tables
    staging.write(run, Staged(made, recomputed, digest, ledger.position(run.conn)))


def bundle(run: Run, citizen: Citizen) -> dict[str, dict[str, Any]]:
    """The citizen's bundle by document type."""
    held = tables.read(run.settings.lake_root, "gold/service_bundles", schema=BUNDLES).to_pylist()
    return {r["RQDOC_CD"]: r for r in held if r["APLY_NO"] == citizen.application}


def test_a_bundle_is_published_with_its_evidence_and_its_own_authorisation(own_lake: SmallLake) -> None:
    run, one = own_lake.run, own_lake.one
    stage(run)
    publish(run)
    row = bundle(run, one)["FAMR"]
    assert (row["_evidence_id"], row["_authorisation_id"]) == (evidence_of(run, one), one.consent)
    assert staging.read(run) is None


def test_p5_a_bundle_does_not_point_to_evidence_withdrawn_between_standardise_and_publish(own_lake: SmallLake) -> None:
    """ONE's second consent still covers the certificate for another service: the row stays, the bundle loses it."""
    run, one = own_lake.run, own_lake.one
    stage(run)
    ledger.withdraw(run.conn, str(one.consent), run.at())
    publish(run)
    row = bundle(run, one)["FAMR"]
    told = (row["RQDOC_STTS_NM"], row["RQDOC_STTS_RSN"], row["BNDL_CMPTN_YN"], row["_evidence_id"])
    assert told == ("no_authorisation", "withdrawn", "N", None)


def test_an_application_decided_between_standardise_and_publish_has_no_bundle(own_lake: SmallLake) -> None:
    run, one = own_lake.run, own_lake.one
    stage(run)
    applications.decide(run.conn, str(one.application), Decision.APPROVED, run.at(), {"FAMR": "data"})
    publish(run)
    assert bundle(run, one) == {}


def test_p7_tables_that_fail_the_gold_gate_leave_bundles_as_they_were(own_lake: SmallLake) -> None:
    run, one = own_lake.run, own_lake.one
    before = bundle(run, one)
    line = gold("family_relation_certificate__relatives")
    orphan = pa.Table.from_pylist([{"_evidence_id": "no-such-document", "_line_no": 1}], schema=line.gold_schema)
    stage(run, **{line.name: orphan})
    with pytest.raises(BatchRefused):
        publish(run)
    assert bundle(run, one) == before


def test_f6_what_an_erasure_is_removing_is_not_published(own_lake: SmallLake) -> None:
    run = own_lake.run
    stage(run)
    next(staging.folder(run).glob("*/income_certificate.parquet")).unlink()
    assert staging.read(run) is None
    assert publish(run).verdict == "unchanged"


def test_a_standardisation_replaces_what_waited_whole(own_lake: SmallLake) -> None:
    run = own_lake.run
    stage(run)
    stage(run, "newer")
    staged = staging.read(run)
    assert staged is not None
    assert staged.context_digest == "newer"
    assert len(list(staging.folder(run).iterdir())) == 2  # one folder, one manifest


def did(run: Run, verb: str, verdict: str, minute: int, digest: str | None = None) -> None:
    at = run.at() + timedelta(minutes=minute)
    record(run, [Summary(run.run_id, verb, None, at, at, verdict, 1, context_digest=digest)])


def test_p6_what_was_standardised_and_never_published_to_the_end_is_standardised_again(own_lake: SmallLake) -> None:
    """A publication that dies between gold and shares leaves gold as bronze says, and shares and bundles behind."""
    run = own_lake.run
    assert not is_unpublished(run)
    did(run, "standardise", "passed", 1)
    assert is_unpublished(run)
    did(run, "publish", "refused", 2)
    did(run, "publish", "unchanged", 3)  # nothing waited
    assert is_unpublished(run)
    did(run, "publish", "passed", 4, "digest")
    did(run, "standardise", "unchanged", 5)
    assert not is_unpublished(run)


def test_a_run_that_is_refused_and_tried_again_leaves_a_row_of_each(own_lake: SmallLake) -> None:
    """Airflow retries under the same run id; the publication that came to its end must be found."""
    run = replace(own_lake.run, run_id="retried")
    did(run, "publish", "refused", 1)
    did(run, "publish", "passed", 2, "digest")
    verdicts = [r["verdict"] for r in runs(run).to_pylist() if r["run_id"] == "retried"]
    assert sorted(verdicts) == ["passed", "refused"]
    found = last_published(run)
    assert found is not None
    assert found["context_digest"] == "digest"


def test_the_copy_of_the_ledger_is_at_the_position_that_its_commit_names(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    ledger.withdraw(run.conn, str(two.consent), run.at())
    copy_ledger(run)
    info = tables.commit_info(run.settings.lake_root, "ledger/authorisations", 1)
    assert int(info["ledger_position"]) == ledger.position(run.conn)


PROGRAM = """
import sys
from hanbeon.settings import load
from pipeline.erase import erase
from pipeline.publish import publish
from pipeline.run import open_run
with open_run(load(), "light") as run:
    assert publish(run).verdict == "unchanged"
    erase(run)
print([name for name in ("great_expectations", "dbt") if name in sys.modules])
"""


def test_publishing_nothing_and_erasing_load_neither_great_expectations_nor_dbt(own_lake: SmallLake) -> None:
    """They take seconds to load, and a withdrawal must not wait for them."""
    settings = own_lake.run.settings
    environment = os.environ | {
        "HANBEON_HOME__PATH": str(settings.home_path),
        "HANBEON_LEDGER__DSN": str(settings.ledger.dsn),
        "PYTHONPATH": str(PROJECT),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr[-2000:]


def test_f5_a_copy_of_the_ledger_that_waited_for_another_writer_is_not_an_old_one(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    with open_run(run.settings, "other") as other, ThreadPoolExecutor(1) as pool:
        with leases(other, ["ledger/authorisations"]):
            copying = pool.submit(copy_ledger, run)
            time.sleep(0.5)  # the copy has begun, and waits
            ledger.withdraw(other.conn, str(two.consent), other.at())
        copying.result()
    copy = tables.read(run.settings.lake_root, "ledger/authorisations", schema=AUTHORISATIONS_SCHEMA).to_pylist()
    assert {r["state"] for r in copy if r["authorisation_id"] == two.consent} == {"withdrawn"}


def test_p6_lines_are_committed_before_the_document_that_they_belong_to(own_lake: SmallLake) -> None:
    """Standardising asks whether the document is there: killed in between, its lines must not be forgotten."""
    made = {c.name: pa.table([pa.nulls(1, f.type) for f in c.gold_schema], schema=c.gold_schema) for c in marts()}
    nobody = pa.table({"_subject_key": pa.array([], pa.int64())})
    recomputed = {c.document_type: nobody for c in sources()}
    staged = Staged(made, recomputed, "digest", 0)
    order = [plan.table for plan in gold_plans(own_lake.run, staged)]
    for child in (c for c in marts() if c.group):
        assert order.index(f"gold/{child.name}") < order.index(f"gold/{child.name.removesuffix(f'__{child.group}')}")


def test_p9_a_read_committed_after_a_later_one_was_copied_is_copied_too(own_lake: SmallLake) -> None:
    run = own_lake.run
    with open_run(run.settings, "slow") as slow:
        with slow.conn.transaction():
            accesses.insert(slow.conn, [Access("slow", Action.BUNDLE, "bundle")], run.at())
            accesses.record(run.conn, Access("quick", Action.BUNDLE, "bundle"), run.at())
            copy_ledger(run)
        copy_ledger(run)
    copied = tables.read(run.settings.lake_root, "ops/accesses", schema=accesses.ACCESSES_SCHEMA)
    assert sorted(copied.column("reader").to_pylist()) == ["quick", "slow"]
