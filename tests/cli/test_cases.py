"""Hold, dispute, notices, hand-overs and reconciliation as they are typed."""

import json
from pathlib import Path

from tests.cli.conftest import Hanbeon
from tests.small_lake import SmallLake

PLACE = ("--ground", "appeal", "--law", "행정심판법 제23조", "--until", "2099-12-31")


def test_a_decision_shows_what_it_handed_over(hanbeon: Hanbeon, own_lake: SmallLake) -> None:
    said = hanbeon("application", "decide", str(own_lake.two.application), "approved", "--json")
    assert json.loads(said.out)["handed_over"] == {"FAMR": "waiting"}
    (row,) = json.loads(hanbeon("application", "handovers", "--json").out)
    assert (row["document_type"], row["recipient"], row["state"]) == ("FAMR", "mogef", "waiting")
    assert json.loads(hanbeon("application", "handovers", "--overdue", "--json").out) == []


def test_a_hold_from_placing_to_lifting(hanbeon: Hanbeon, own_lake: SmallLake) -> None:
    placed = hanbeon("hold", "place", "--authorisation", str(own_lake.two.consent), *PLACE, "--json")
    hold_id = json.loads(placed.out)["hold_id"]
    (row,) = json.loads(hanbeon("hold", "list", "--json").out)
    assert (row["state"], row["rows"]) == ("in force", 0)
    assert json.loads(hanbeon("hold", "open", hold_id, "--why", "an appeal").out) == []
    (notice,) = json.loads(hanbeon("notices", "list", "--open", "--json").out)
    text = hanbeon("notices", "show", str(notice["number"])).out
    assert "행정심판법 제23조" in text.partition("\n\n")[0]
    assert hanbeon("notices", "done", str(notice["number"]), "--how", "letter").code == 0
    assert json.loads(hanbeon("notices", "list", "--open", "--json").out) == []
    assert hanbeon("hold", "lift", hold_id).code == 0
    assert json.loads(hanbeon("hold", "list", "--json").out)[0]["state"] == "ended"


def test_a_dispute_is_opened_and_refused(hanbeon: Hanbeon, own_lake: SmallLake, tmp_path: Path) -> None:
    claim = tmp_path / "claim.txt"
    claim.write_text("이름이 틀립니다", encoding="utf-8")
    opened = hanbeon("dispute", "open", str(own_lake.two.consent), "FAMR", "--column", "SELF_FLNM",
                     "--claim-file", str(claim), "--json")  # fmt: skip
    dispute_id = json.loads(opened.out)["dispute_id"]
    assert hanbeon("dispute", "answer", dispute_id, "refused").code == 2
    assert hanbeon("dispute", "answer", dispute_id, "perhaps").code == 2
    done = hanbeon("dispute", "answer", dispute_id, "refused", "--reason", "맞습니다", "--appeal", "위원회")
    assert done.code == 0
    assert json.loads(hanbeon("dispute", "list", "--json").out)[0]["state"] == "refused"


def test_reconciling_says_that_everything_agrees(hanbeon: Hanbeon) -> None:
    said = hanbeon("reconcile")
    assert (said.code, said.out.strip()) == (0, "Everything agrees.")


def test_a_hold_that_names_nothing_or_ends_in_the_past_is_refused(hanbeon: Hanbeon, own_lake: SmallLake) -> None:
    assert hanbeon("hold", "place", *PLACE).code == 2
    past = (*PLACE[:-1], "2020-01-01")
    assert hanbeon("hold", "place", "--authorisation", str(own_lake.two.consent), *past).code == 2
    assert hanbeon("hold", "lift", "hold-none").code == 2
