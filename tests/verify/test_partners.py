"""What partners signed is checked by their own keys, from files alone: answers (kind 7) and deliveries (kind 6)."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consent import bodies, outbox
from consent.bodies import BodyKind
from hanbeon.settings import ConsentSettings
from pipeline import trusting
from pipeline.attest import attest
from pipeline.erase import erase
from pipeline.run import Run
from sources.simulate import agency_keys, identity, inbox
from tests.consent.making import DAY, trusted
from tests.small_lake import SmallLake
from verify import verify as plain

DATASET = "mohw/disability"


@pytest.fixture
def home(own_lake: SmallLake, tmp_path: Path) -> Path:
    """A world's keys, introduced as its trust file."""
    trusted(tmp_path)
    return tmp_path


@pytest.fixture
def run(own_lake: SmallLake, home: Path) -> Run:
    own = ConsentSettings(trust_file=str(home / "keys" / "trusted.json"))
    return replace(own_lake.run, settings=replace(own_lake.run.settings, consent=own))


def findings(run: Run) -> list[str]:
    attest(run)
    trusting.keep(run)
    return list(plain.verify(run.settings.lake_root).findings)


def acknowledged(run: Run, home: Path, by: str = "mois", **changes: Any) -> None:
    """An answer in the log as a careless or dishonest operator would keep it: without looking at it."""
    number = outbox.send(run.conn, "mois", outbox.CERTIFICATE, {"number": 7}, run.at(), run.at() + DAY)
    message = next(m for m in outbox.messages(run.conn) if m.number == number)
    claims = {"iss": by, "aud": run.settings.log.origin, "kind": message.kind, "digest": message.digest.hex()}
    body = {"kind": message.kind, "by": "mois", "message": number, "digest": message.digest.hex(),
            "token": identity.signed(agency_keys.key_of(home, by), claims | changes, inbox.TYP)}  # fmt: skip
    bodies.record_body(run.conn, BodyKind.ACKNOWLEDGEMENT, body)


def delivery(
    run: Run, home: Path, by: str = "mohw", records: tuple[int, ...] = (2, 3), total: int = 5, **changes: Any
) -> int:
    key = agency_keys.key_of(home, by)
    claims = [{"iss": by, "records": n, "request": "aa", "content": f"{at:02x}"} for at, n in enumerate(records)]
    body = {"dataset": DATASET, "holder": "mohw", "run_id": "r", "received_at": "", "records": total, "counted": total,
            "statements": [identity.signed(key, one, "delivery+jwt") for one in claims]}  # fmt: skip
    return bodies.record_body(run.conn, BodyKind.DELIVERY, body | changes, stream=DATASET)


def test_signed_answers_and_deliveries_are_checked_and_good(run: Run, home: Path) -> None:
    acknowledged(run, home)
    delivery(run, home)
    assert findings(run) == []
    counts = plain.verify(run.settings.lake_root).counts
    assert (counts["acknowledgements"], counts["signed deliveries"]) == (1, 1)


FORGED = {
    "signed by another agency": ({"by": "nts"}, "signed by none of the trusted keys"),
    "signed by another in its name": ({"by": "nts", "iss": "mois"}, "signed by none of the trusted keys"),
    "its own key under another's name": ({"iss": "nts"}, "issued by somebody else"),
    "of another kind": ({"kind": "dispute"}, "about another message"),
    "of another message": ({"digest": "00" * 32}, "about another message"),
    "to another operator": ({"aud": "elsewhere.example"}, "about another message, or to somebody else"),
}


@pytest.mark.parametrize("flaw", FORGED)
def test_a_forged_answer_is_found_and_its_entry_named(run: Run, home: Path, flaw: str) -> None:
    changes, said = FORGED[flaw]
    acknowledged(run, home, **changes)
    (found,) = findings(run)
    assert said in found
    assert found.startswith("log/bodies/000: entry ")


def test_an_answer_of_an_agency_without_a_known_key_is_a_finding(run: Run, home: Path) -> None:
    acknowledged(run, home)
    assert findings(run) == []
    path = run.settings.log_path / "trust.json"
    keys = json.loads(path.read_bytes())
    del keys["partners"]["mois"]
    path.write_text(json.dumps(keys), encoding="utf-8")
    (found,) = plain.verify(run.settings.lake_root).findings
    assert "no key of the partner is known" in found


MISCOUNTED = {
    "the sum": ({"records": (2, 4)}, "counted otherwise"),
    "a number that is none": ({"records": (True, 4)}, "not a size"),
    "somebody else's signature": ({"by": "nts"}, "signed by none of the trusted keys"),
    "no signature": ({"statements": []}, "counted otherwise"),
    "another holder's dataset": ({"dataset": "nts/income"}, "of another table or dataset than its entry"),
}


@pytest.mark.parametrize("flaw", MISCOUNTED)
def test_a_delivery_that_its_holder_did_not_sign_so_is_found(run: Run, home: Path, flaw: str) -> None:
    changes, said = MISCOUNTED[flaw]
    delivery(run, home, **changes)
    assert [f for f in findings(run) if said in f]


def test_one_answer_counted_twice_is_found(run: Run, home: Path) -> None:
    one = {"iss": "mohw", "records": 2, "content": "aa"}
    token = identity.signed(agency_keys.key_of(home, "mohw"), one, "delivery+jwt")
    delivery(run, home, total=4, statements=[token, token])
    (found,) = findings(run)
    assert "one answer is counted twice" in found


def test_a_commit_that_names_a_delivery_which_is_not_its_own_is_found(run: Run, home: Path) -> None:
    from pipeline.commit import Change, Plan, commit
    from tests.small_lake import FAMR

    number = delivery(run, home)  # of another dataset
    name = f"bronze/{FAMR.dataset}"
    empty = FAMR.bronze_schema.empty_table()
    commit(run, [Plan(name, FAMR.bronze_schema, lambda _: Change(empty, (0,)), partitioned=True, delivery=number)], {})
    erase(run)
    assert [f for f in findings(run) if f.startswith(f"{name}: version") and "not its own" in f]
