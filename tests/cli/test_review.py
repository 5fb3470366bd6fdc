"""Reviewing the access records at the command line."""

import json
from pathlib import Path

from pipeline.ledger_copy import copy_ledger
from tests.cli.conftest import Hanbeon
from tests.small_lake import ONE, TWO, SmallLake


def test_an_auditor_reviews_who_read_what_and_the_verifier_still_agrees(
    hanbeon: Hanbeon, own_lake: SmallLake, tmp_path: Path
) -> None:
    assert hanbeon("review", "list").out == "Nobody has reviewed the access records.\n"
    (tmp_path / "reader").write_text(ONE)
    (tmp_path / "known").write_text(TWO)
    assert hanbeon("review", "reader", "worker", "--identifier-file", str(tmp_path / "reader")).code == 0
    assert hanbeon("review", "watch", "--identifier-file", str(tmp_path / "known")).code == 0
    for citizen in (own_lake.one, own_lake.two):
        assert hanbeon("application", "show", str(citizen.application), "--reader", "worker").code == 0
    said = hanbeon("review", "run", "--reader", "auditor", "--json")
    found = json.loads(said.out)
    assert said.code == 1
    assert {"own_record", "own_family", "watched"} <= {flag["rule"] for flag in found["flags"]}
    assert "_subject_key" not in said.out
    (listed,) = json.loads(hanbeon("review", "list", "--json").out)
    assert (listed["stop"], listed["flagged"]) == (found["stop"], len(found["flags"]))
    copy_ledger(own_lake.run)
    assert hanbeon("verify", str(own_lake.run.settings.lake_root)).code == 0
    assert "reviewed in time" in hanbeon("doctor").out


def test_a_file_of_several_numbers_is_no_reader(hanbeon: Hanbeon, tmp_path: Path) -> None:
    (tmp_path / "both").write_text(f"{ONE}\n{TWO}")
    said = hanbeon("review", "reader", "worker", "--identifier-file", str(tmp_path / "both"))
    assert said.code == 2
    assert ONE not in said.err
