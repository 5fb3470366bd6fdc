"""What is under a hold is gone everywhere but in the store of its hold, and gone there too once the hold ends (P4)."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from consent import accesses, applications, bodies, holds, ledger, owners, subject_notices, vault
from consent.bodies import BodyKind
from consent.holds import Ground, Terms
from consent.owners import owner_of_key
from consent.subject_notices import About
from hanbeon.errors import IntegrityError, UsageError
from lake import erase as lake_erase
from pipeline import holding
from pipeline.commit import commit
from pipeline.erase import _plans as plans_of_an_erasure
from pipeline.erase import erase
from pipeline.holding import open_hold
from pipeline.residue import Residue
from pipeline.run import Run
from pipeline.sharing import documents
from tests.small_lake import FAMR, SmallLake

LAW = "행정심판법 제23조"


def place(lake: SmallLake, days: int = 30) -> str:
    at = lake.run.at()
    terms = Terms(Ground.APPEAL, LAW, at + timedelta(days=days), at + timedelta(days=days // 2))
    return holds.place(lake.run.conn, terms, at, authorisation_id=lake.two.consent)


def withdrawn(lake: SmallLake) -> None:
    """The consent, and the application with it: an open one keeps its applicant known."""
    ledger.withdraw(lake.run.conn, str(lake.two.consent), lake.run.at())
    applications.decide(lake.run.conn, str(lake.two.application), "withdrawn", lake.run.at())
    erase(lake.run)


def certificate(run: Run) -> dict[str, Any]:
    return bodies.bodies(run.conn, BodyKind.CERTIFICATE)[-1]


def files_with(run: Run, name: str) -> list[Path]:
    return [f.path for f in lake_erase.scan(run.settings.home_path, [name])]


def test_p4_held_rows_leave_the_lake_and_stand_in_the_store_alone_encrypted(own_lake: SmallLake) -> None:
    run, name = own_lake.run, own_lake.two.name
    hold_id = place(own_lake)
    withdrawn(own_lake)
    assert files_with(run, name) == []
    kept = open_hold(run, hold_id, "auditor", "the appeal court asks")
    own = [c.name for c in documents() if c.document_type == "FAMR"]
    assert {k.table for k in kept} == {f"bronze/{FAMR.dataset}", *(f"gold/{name}" for name in own)}
    said = [row for k in kept for row in k.rows]
    assert {row["_subject_key"] for row in said} == {own_lake.two.key}
    assert any(row.get("SELF_FLNM") == name for row in said)
    assert certificate(run)["excluded"][-1:] or True
    excluded = certificate(run)["excluded"]
    assert {"what": f"{len(said)} rows under a hold (appeal)", "why": LAW} in excluded


def test_after_it_is_lifted_the_next_erasure_destroys_what_was_kept(own_lake: SmallLake) -> None:
    run = own_lake.run
    hold_id = place(own_lake)
    withdrawn(own_lake)
    holds.lift(run.conn, hold_id, run.at())
    erase(run)
    assert not (run.settings.home_path / "holds" / hold_id).exists()
    assert not (run.settings.keys_path / "holds" / f"{hold_id}.key").exists()
    assert open_hold(run, hold_id, "auditor", "is it gone?") == []
    said = certificate(run)
    assert any(e["kind"] == "holds" and e["detail"] == "1" for e in said["inventory"])
    assert not any("under a hold" in e["what"] for e in said["excluded"])
    assert holds.holds(run.conn)[0].state(run.at()) == "destroyed"


def test_a_hold_ends_by_itself_at_its_end(own_lake: SmallLake) -> None:
    run = own_lake.run
    hold_id = place(own_lake)
    withdrawn(own_lake)
    end = holds.holds(run.conn, hold_id)[0].valid_until
    assert holding.release(replace(run, at=lambda: end - timedelta(seconds=1))) == []
    assert holding.release(replace(run, at=lambda: end)) == [hold_id]


def test_without_a_hold_nothing_is_kept(own_lake: SmallLake) -> None:
    withdrawn(own_lake)
    assert not (own_lake.run.settings.home_path / "holds").exists()


def test_a_hold_placed_between_removal_and_purge_still_keeps_the_rows(own_lake: SmallLake) -> None:
    """A pull takes uncovered rows out before an erasure comes; their files are still there."""
    run = own_lake.run
    ledger.withdraw(run.conn, str(own_lake.two.consent), run.at())
    commit(run, plans_of_an_erasure(run, Residue()), {})
    at = run.at()
    terms = Terms(Ground.COURT_ORDER, LAW, at + timedelta(days=9), at + timedelta(days=1))
    hold_id = holds.place(run.conn, terms, at, subject=(own_lake.two.key, "FAMR"))
    erase(run)
    assert {k.table.partition("/")[0] for k in open_hold(run, hold_id, "auditor", "why")} == {"bronze", "gold"}


def test_f1_killed_after_sealing_keeps_every_row_once(own_lake: SmallLake, monkeypatch: pytest.MonkeyPatch) -> None:
    run = own_lake.run
    hold_id = place(own_lake)

    def die(run: Run, names: list[str]) -> list[str]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.purging.purge_tables", die)
        with pytest.raises(KeyboardInterrupt):
            withdrawn(own_lake)
    before = holds.holds(run.conn, hold_id)[0].rows
    assert before
    erase(run)
    assert holds.holds(run.conn, hold_id)[0].rows == before
    assert sum(len(k.rows) for k in open_hold(run, hold_id, "auditor", "count")) == before


def test_opening_is_recorded_before_it_is_answered_p9(own_lake: SmallLake) -> None:
    run = own_lake.run
    hold_id = place(own_lake)
    with pytest.raises(UsageError, match="says why"):
        open_hold(run, hold_id, "auditor", " ")
    open_hold(run, hold_id, "auditor", "the appeal court asks")
    last = accesses.listing(run.conn).to_pylist()[-1]
    assert (last["reader"], last["action"], last["_subject_key"]) == ("auditor", "hold", own_lake.two.key)


def test_a_kept_file_that_was_changed_does_not_open(own_lake: SmallLake) -> None:
    run = own_lake.run
    hold_id = place(own_lake)
    withdrawn(own_lake)
    path = next((run.settings.home_path / "holds" / hold_id).glob("*.sealed"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(IntegrityError):
        open_hold(run, hold_id, "auditor", "why")


def test_who_is_held_keeps_secret_and_vault_entry_until_the_hold_ends(own_lake: SmallLake) -> None:
    run, key = own_lake.run, own_lake.two.key
    hold_id = place(own_lake)
    withdrawn(own_lake)
    assert owners.known(run.conn, run.secrets, [owner_of_key(key)])
    assert len(vault.reveal(run.conn, run.secrets, "RRN", [key])) == 1
    holds.lift(run.conn, hold_id, run.at())
    erase(run)
    assert not owners.known(run.conn, run.secrets, [owner_of_key(key)])


def test_the_citizen_is_told_what_is_kept_and_why_and_when_it_is_over(own_lake: SmallLake) -> None:
    run = own_lake.run
    hold_id = place(own_lake)
    (notice,) = subject_notices.notices(run.conn)
    korean, english = notice.texts
    assert (notice.subject_key, notice.kind, notice.reference) == (own_lake.two.key, About.HOLD_PLACED, hold_id)
    assert LAW in korean
    assert "an appeal" in english
    subject_notices.done(run.conn, notice.number, "letter", run.at())
    holds.lift(run.conn, hold_id, run.at())
    erase(run)
    assert [n.kind for n in subject_notices.notices(run.conn, is_open=True)] == [About.HOLD_ENDED]
