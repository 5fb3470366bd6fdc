"""What an event's hash commits to, worked out once more from docs/proof.md (section 2); how events enter the ledger."""

import hashlib
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest

from consent import append, history, ledger
from consent.append import Entry, canonical, entry, everything, instant_text, leaf_hash, scope_commitment, shown_payload
from hanbeon.errors import UsageError
from tests.consent.making import AT, grant, scope

SALT = bytes(range(32))
SCOPES = [{"subject_key": str(n), "document_type": "RRT", "columns": ["가", "나"]} for n in range(3)]


def plain(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def expected(payload: dict[str, Any], position: int, authorisation_id: str | None) -> bytes:
    """Members in order under a salt of their own; each scope is there as its commitment."""
    if isinstance(payload.get("scopes"), list):
        salts = [sha(SALT, b"\x01", n.to_bytes(4, "big")) for n in range(len(payload["scopes"]))]
        hidden = [sha(salt, plain(scope)).hex() for salt, scope in zip(salts, payload["scopes"], strict=True)]
        payload = {**payload, "scopes": hidden}
    members = {
        "authorisation_id": authorisation_id, "instant": "2026-06-01T00:30:00.000000Z", "kind": "granted",
        "payload": payload, "position": position, "subject": "누구",
    }  # fmt: skip
    return sha(sha(SALT, b"\x00"), plain(members))


@pytest.mark.parametrize("authorisation_id", [None, "auth-1"])
@pytest.mark.parametrize(
    "payload",
    [{}, {"b": "나", "a": None}, {"kind": "consent", "scopes": SCOPES}, {"scopes": []}, {"scopes": None},
     {"text": '"scopes":['}],
)  # fmt: skip
def test_a_hash_is_what_the_docs_say(payload: dict[str, Any], authorisation_id: str | None) -> None:
    given = entry("granted", "누구", payload, authorisation_id)
    assert given == Entry("granted", "누구", authorisation_id, plain(payload))
    for position in (1, 2**40):
        assert leaf_hash(SALT, position, AT, given) == expected(payload, position, authorisation_id)


def test_a_payload_is_shown_scope_by_scope_and_still_leads_to_its_hash() -> None:
    """docs/proof.md, section 2: who has the shown payload and the event's salt for members works out the same hash."""
    scopes, salt = SCOPES, SALT
    payload = {"kind": "consent", "scopes": scopes}
    told = shown_payload(salt, payload, lambda scope: scope["subject_key"] == "1")
    first, second, third = told["scopes"]
    assert (told["kind"], second["scope"], set(second)) == ("consent", scopes[1], {"scope", "salt"})
    assert [first, third] == [{"commitment": scope_commitment(salt, n, scopes[n])} for n in (0, 2)]
    whole = shown_payload(salt, payload, everything)
    assert [one["scope"] for one in whole["scopes"]] == scopes
    assert len({one["salt"] for one in whole["scopes"]}) == 3
    assert whole["scopes"][1] == second
    assert shown_payload(salt, {"a": 1}, everything) == {"a": 1}
    assert shown_payload(salt, {"scopes": None}, everything) == {"scopes": None}


def test_an_instant_is_written_in_utc_to_the_microsecond() -> None:
    seoul = datetime(2026, 6, 1, 9, 30, 0, 1, tzinfo=timezone(timedelta(hours=9)))
    assert instant_text(AT) == "2026-06-01T00:30:00.000000Z"
    assert instant_text(seoul) == "2026-06-01T00:30:00.000001Z"


def test_json_is_canonical_and_has_no_number_that_is_none() -> None:
    assert canonical({"b": ["가", 1, None, True], "a": {}}) == '{"a":{},"b":["가",1,null,true]}'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("nan"))


def test_the_ledger_takes_no_unknown_kind() -> None:
    with pytest.raises(UsageError, match="no events of kind forgiven"):
        entry("forgiven", "x", {})


def test_the_event_of_a_grant_says_all_that_was_granted(ledger_conn: psycopg.Connection) -> None:
    given = grant(scope(), grounds=("Act 42", "Act 43"))
    (key,) = ledger.grant(ledger_conn, [given], AT)
    assert key.startswith("auth-"), "an id says what it is of"
    (event,) = history.history(ledger_conn, key)
    assert event.payload is not None
    own = given.scopes[0]
    told = {n: v for n, v in event.payload.items() if n not in ("evidence_digest", "sealed")}
    assert told | {"scopes": None} == {
        name: None if value is None else instant_text(value) if isinstance(value, datetime) else value
        for name, value in {
            **vars(given), "authorisation_id": key, "grantor_key": "7", "grounds": ["Act 42", "Act 43"], "scopes": None,
        }.items()
        if name != "evidence"
    }  # fmt: skip
    assert told["scopes"] == [{**vars(own), "subject_key": "7", "columns": list(own.columns)}]


def test_positions_follow_each_other_and_each_event_is_intact(ledger_conn: psycopg.Connection) -> None:
    given = [entry("hold_lifted", f"s-{n}", {"n": n}) for n in range(3)]
    with ledger_conn.transaction():
        assert list(append.append(ledger_conn, append.lock(ledger_conn), given, AT)) == [1, 2, 3]
    with ledger_conn.transaction():
        assert list(append.append(ledger_conn, append.lock(ledger_conn), given[:1], AT)) == [4]
    found = [event for n in range(3) for event in history.history_of_subject(ledger_conn, f"s-{n}")]
    assert [(e.position, e.instant, e.kind, e.payload) for e in found] == [
        (1, AT, "hold_lifted", {"n": 0}),
        (4, AT, "hold_lifted", {"n": 0}),
        (2, AT, "hold_lifted", {"n": 1}),
        (3, AT, "hold_lifted", {"n": 2}),
    ]
    assert all(event.is_intact for event in found)
    assert len({event.salt for event in found}) == 4
    assert {len(event.salt or b"") for event in found} == {32}
