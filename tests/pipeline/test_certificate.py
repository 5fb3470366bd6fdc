"""What was withdrawn is gone, and a signed certificate says so, whenever the eraser is killed (P4, F1, F40)."""

import hashlib
import json
import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg
import pytest

from consent import applications, bodies, erasures, ledger, owners, signing
from consent.append import canonical
from consent.bodies import BodyKind
from consent.log import Kind, index_of, prove
from consent.signing import read_jws
from hanbeon.settings import Settings
from lake import erase as lake_erase
from lake import layout
from pipeline import certificate, home_scan, purging
from pipeline.attest import operator
from pipeline.erase import erase
from pipeline.recover import recover
from pipeline.run import Run, open_run
from tests.small_lake import Citizen, SmallLake

GOLD = "gold/family_relation_certificate"


def leaves(run: Run, citizen: Citizen) -> None:
    """Withdraws the consent, and the application with it: an open one keeps its applicant known."""
    ledger.withdraw(run.conn, str(citizen.consent), run.at())
    applications.decide(run.conn, str(citizen.application), "withdrawn", run.at())


def certificates(conn: psycopg.Connection) -> list[dict[str, Any]]:
    return bodies.bodies(conn, BodyKind.CERTIFICATE)


def test_p4_a_withdrawal_ends_in_a_signed_certificate_in_the_log(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    leaves(run, two)
    summary = erase(run)
    (body,) = certificates(run.conn)
    assert summary.counts["certificate"] == body["number"]
    lost = {t["table"]: t["rows_removed"] for t in body["tables"]}
    assert lost[GOLD] == 1
    assert lost["shares/mogef/family_relation_certificate"] == 1
    assert body["scan"]["needles"] >= 2
    assert body["scan"]["residue"] == 0
    assert body["scan"]["files"] > 10
    token = certificate.path_of(run, body["number"]).read_text().strip()
    assert read_jws(token, [signing.jwk(operator(run.settings).documents)]) == body
    index = index_of(run.conn, Kind.CERTIFICATE, body["number"])
    assert index is not None
    entry = prove(run.settings.log_path, index).entry
    assert entry.endswith(hashlib.sha256(canonical(body)).digest())


def test_p8_a_certificate_names_nobody(own_lake: SmallLake) -> None:
    run, two = own_lake.run, own_lake.two
    leaves(run, two)
    erase(run)
    text = json.dumps(certificates(run.conn), ensure_ascii=False)
    assert str(two.key) not in text
    assert str(two.consent) not in text
    assert two.name not in text


def test_p4_the_owner_s_secrets_go_with_the_last_row_and_nobody_else_s(own_lake: SmallLake) -> None:
    run, one, two = own_lake.run, own_lake.one, own_lake.two
    keys = [owners.owner_of_key(one.key), owners.owner_of_key(two.key)]
    assert set(owners.known(run.conn, run.secrets, keys)) == set(keys)
    leaves(run, two)
    erase(run)
    assert set(owners.known(run.conn, run.secrets, keys)) == {keys[0]}


def test_an_erasure_that_removes_nothing_makes_no_certificate(own_lake: SmallLake) -> None:
    run = own_lake.run
    erase(run)
    made = len(certificates(run.conn))
    erase(run)
    assert len(certificates(run.conn)) == made
    assert erasures.unfinished(run.conn, run.secrets) == []


STEPS: list[tuple[Any, str]] = [
    (purging, "leavings"),
    (erasures, "begin"),
    (purging, "purge_tables"),
    (lake_erase, "scan"),
    (purging, "destroy_unheld"),
    (purging, "forget"),
    (erasures, "add_up"),
    (certificate, "record_body"),
    (certificate, "write_durably"),
    (purging, "_list"),
    (erasures, "finish"),
    (purging, "attest"),
]


def _die_after(settings: Settings, step: int) -> None:
    module, name = STEPS[step]
    real: Callable[..., Any] = getattr(module, name)

    def dying(*arguments: Any, **named: Any) -> Any:
        real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(module, name, dying)
    with open_run(settings, "dying") as run:
        erase(run)


@pytest.mark.parametrize("step", range(len(STEPS)), ids=[name for _, name in STEPS])
def test_f1_killed_after_any_step_the_erasure_is_ended_by_recovery_with_one_certificate(
    own_lake: SmallLake, step: int
) -> None:
    run, two = own_lake.run, own_lake.two
    leaves(run, two)
    context = get_context("forkserver")
    context.set_forkserver_preload(["pipeline.erase"])
    process = context.Process(target=_die_after, args=(run.settings, step))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    recover(run)
    erase(run)
    body, *later = certificates(run.conn)  # a later one where only forgetting was left, while this run was open
    assert all(t["rows_removed"] == 0 for other in later for t in other["tables"])
    assert {t["table"]: t["rows_removed"] for t in body["tables"]}[GOLD] == 1
    assert erasures.unfinished(run.conn, run.secrets) == []
    assert certificate.path_of(run, body["number"]).exists()
    assert owners.known(run.conn, run.secrets, [owners.owner_of_key(two.key)]) == {}
    old = [p for p in _files(run.settings.lake_root) if two.name.encode() in p.read_bytes()]
    assert old == []
    rows = layout.table_path(run.settings.lake_root, "ops/erasures")
    assert rows.exists()


def _die_in_the_scan(settings: Settings) -> None:
    real = home_scan.scan

    def dying(run: Run, erasure: erasures.Erasure) -> Any:
        real(run, erasure)
        os.kill(os.getpid(), signal.SIGKILL)

    home_scan.scan = dying
    with open_run(settings, "dying") as run:
        erase(run, is_now=True)


def test_f1_killed_while_it_looks_through_the_home_it_looks_again(own_lake: SmallLake) -> None:
    """The values that it looks for outlive the kill, though the vault has forgotten them."""
    run, two = own_lake.run, own_lake.two
    leaves(run, two)
    context = get_context("forkserver")
    context.set_forkserver_preload(["pipeline.erase"])
    process = context.Process(target=_die_in_the_scan, args=(run.settings,))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    (open_one,) = erasures.unfinished(run.conn, run.secrets)
    assert open_one.values is not None
    assert recover(run).erasures == 1
    (body,) = certificates(run.conn)
    assert body["scan"]["needles"] == len(open_one.needles) + sum(len(v) for _, v in open_one.values.by_class)
    assert [e["state"] for e in body["inventory"] if e["kind"] == "database"] == ["erased"]
    assert erasures.unfinished(run.conn, run.secrets) == []


def _files(root: Path) -> list[Path]:
    return [p for p in root.rglob("*") if p.is_file()]


def test_what_an_unfinished_erasure_looks_for_is_not_in_clear(own_lake: SmallLake) -> None:
    run = own_lake.run
    begun = erasures.begin(run.conn, run.secrets, "r", 1, [erasures.Loss(GOLD, 1, 1, 0)], ["needle-one"], run.at())
    row = run.conn.execute("select sealed from erasures where number = %s", [begun.number]).fetchone()
    assert row is not None
    assert b"needle-one" not in row[0]
    assert erasures.unfinished(run.conn, run.secrets) == [begun]
    erasures.finish(run.conn, begun.number, None, run.at())
    assert erasures.unfinished(run.conn, run.secrets) == []
    left = run.conn.execute("select sealed from erasures where number = %s", [begun.number]).fetchone()
    assert left == (None,)
