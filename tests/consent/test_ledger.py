"""The ledger: events in order, never edited; states that follow from them (F7, F10, F40, F41)."""

import hashlib
import threading
from datetime import datetime
from typing import Any

import psycopg
import pyarrow as pa
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import applications, gate, ledger, schema
from consent.append import canonical
from consent.errors import ForbiddenTransition
from consent.history import history_of_subject
from consent.model import Grant, Kind, Mode, Reason, Scope, Sealed, Unasked
from hanbeon.errors import GateRefused, IntegrityError, UsageError
from tests.consent.making import AT, DAY, SECOND, application, approval, grant, proof, scope, standing


def test_grant_returns_ids_in_order_and_one_row_for_each_scope(ledger_conn: psycopg.Connection) -> None:
    ids = ledger.grant(
        ledger_conn, [grant(scope("RRT"), scope("FAMR"), authorisation_id="b"), grant(authorisation_id="a")], AT
    )
    assert ids == ["b", "a"]
    rows = ledger.authorisations(ledger_conn).to_pylist()
    assert [(r["authorisation_id"], r["document_type"], r["ledger_position"]) for r in rows] == [
        ("a", "RRT", 2),
        ("b", "FAMR", 1),
        ("b", "RRT", 1),
    ]


def test_every_field_of_a_grant_comes_back_from_the_snapshot(ledger_conn: psycopg.Connection) -> None:
    given = Grant(
        kind=Kind.DEMAND,
        grantor_key=-(2**63),
        application_id="A-1",
        recipient="mogef",
        service="SINGLE_PARENT",
        purpose='따옴표 " 쉼표 , 한글',
        legal_basis="전자정부법 제43조의2",
        mode=Mode.STANDING,
        valid_from=AT,
        valid_until=AT + DAY,
        retain_until=AT + 2 * DAY,
        scopes=(Scope(2**63 - 1, "RRT", "members_included", ("STDG_CD", 'a"b\\c', "members.X"), "mois"),),
        cycle="monthly",
        frequency_cap=3,
        notice_version="1",
        notice_hash="00" * 32,
        grounds=("collection", "provision"),
        evidence=Sealed("11" * 32, b"sealed"),
        grantor_capacity="heir",
        identifier_statute="주민등록법 제30조",
        approval_id="appr-1",
        authorisation_id="auth-1",
    )
    ledger.grant(ledger_conn, [given], AT)
    table = ledger.snapshot(ledger_conn).authorisations
    assert table.schema == ledger.AUTHORISATIONS_SCHEMA
    (row,) = table.to_pylist()
    expected = {**vars(given), **vars(given.scopes[0]), "columns": list(given.scopes[0].columns)}
    expected["proof_digest"] = "11" * 32
    expected |= {"_grantor_key": -(2**63), "_subject_key": 2**63 - 1, "used_count": 0, "state": "granted"}
    expected |= {"state_at": AT, "ledger_position": 1}
    assert row == {name: expected[name] for name in ledger.AUTHORISATIONS_SCHEMA.names}


def test_null_and_empty_text_stay_apart(ledger_conn: psycopg.Connection) -> None:
    ledger.grant(
        ledger_conn,
        [
            standing(identifier_statute="", authorisation_id="a"),
            standing(identifier_statute=None, authorisation_id="b"),
        ],
        AT,
    )
    assert ledger.snapshot(ledger_conn).authorisations.column("identifier_statute").to_pylist() == ["", None]


def test_f40_withdrawing_twice_is_one_event_and_granting_anew_is_another_authorisation(
    ledger_conn: psycopg.Connection,
) -> None:
    (first,) = ledger.grant(ledger_conn, [grant()], AT)
    ledger.withdraw(ledger_conn, first, AT + SECOND)
    ledger.withdraw(ledger_conn, first, AT + 2 * SECOND)
    (second,) = ledger.grant(ledger_conn, [grant()], AT + 3 * SECOND)
    assert second != first
    assert [(e.position, e.kind) for e in ledger.history(ledger_conn, first)] == [(1, "granted"), (2, "withdrawn")]
    assert [(e.position, e.kind) for e in ledger.history(ledger_conn, second)] == [(3, "granted")]
    with pytest.raises(ForbiddenTransition):
        ledger.grant(ledger_conn, [grant(authorisation_id=first)], AT)
    with pytest.raises(UsageError, match="one id"):
        ledger.grant(ledger_conn, [grant(authorisation_id="x"), grant(authorisation_id="x")], AT)
    assert ledger.position(ledger_conn) == 3


def test_f41_a_standing_authorisation_is_used_up_to_its_cap(ledger_conn: psycopg.Connection) -> None:
    ledger.approve(ledger_conn, approval(), AT)
    (key,) = ledger.grant(ledger_conn, [standing(frequency_cap=2)], AT)
    ledger.consume(ledger_conn, key, AT)
    assert gate.allowed(ledger.snapshot(ledger_conn), AT).num_rows == 1
    ledger.consume(ledger_conn, key, AT)
    assert gate.allowed(ledger.snapshot(ledger_conn), AT).num_rows == 1, "the cap limits asking, not holding"
    with pytest.raises(GateRefused) as refused:
        ledger.consume(ledger_conn, key, AT)
    assert refused.value.reason == Unasked.FREQUENCY_EXCEEDED


@pytest.mark.parametrize(("instant", "expired"), [(-SECOND, 0), (0 * SECOND, 1), (SECOND, 1)])
def test_f7_expiry_is_due_at_the_end_and_not_before(
    ledger_conn: psycopg.Connection, instant: "datetime", expired: int
) -> None:
    given = grant(scope("RRT"), scope("FAMR"))
    ledger.grant(ledger_conn, [given], AT)
    at = given.valid_until + instant  # type: ignore[operator]
    assert ledger.expire_due(ledger_conn, at) == expired
    assert ledger.expire_due(ledger_conn, at) == 0


def test_f7_a_clock_that_goes_back_does_not_undo_an_expiry_or_a_withdrawal(ledger_conn: psycopg.Connection) -> None:
    ledger.approve(ledger_conn, approval(), AT)
    ended, withdrawn = ledger.grant(ledger_conn, [grant(), grant(subject := scope(subject_key=8))], AT)
    assert subject.subject_key == 8
    ledger.withdraw(ledger_conn, withdrawn, AT + 20 * DAY)
    ledger.expire_due(ledger_conn, AT + 40 * DAY)
    snapshot = ledger.snapshot(ledger_conn)
    assert gate.allowed(snapshot, AT + SECOND).num_rows == 0
    assert gate.explain(snapshot, AT + SECOND, ended) == [("RRT", 7, Reason.EXPIRED)]


def test_renewal_moves_the_end_of_a_standing_authorisation_only_later(ledger_conn: psycopg.Connection) -> None:
    given = standing()
    (key,) = ledger.grant(ledger_conn, [given], AT)
    with pytest.raises(UsageError, match="later"):
        ledger.renew(ledger_conn, key, given.valid_until, AT, evidence=proof())
    with pytest.raises(UsageError, match="valid_until"):
        ledger.renew(ledger_conn, key, (given.valid_until + DAY).replace(tzinfo=None), AT, evidence=proof())
    ledger.renew(ledger_conn, key, given.valid_until + DAY, AT, evidence=proof())
    (row,) = ledger.authorisations(ledger_conn, authorisation_id=key).to_pylist()
    assert (row["valid_until"], row["retain_until"]) == (given.valid_until + DAY, given.retain_until)
    with pytest.raises(ForbiddenTransition, match="anew"):
        ledger.renew(ledger_conn, key, AT + 900 * DAY, row["valid_until"], evidence=proof())
    (one_time,) = ledger.grant(ledger_conn, [grant()], AT)
    with pytest.raises(ForbiddenTransition, match="one-time"):
        ledger.renew(ledger_conn, one_time, AT + 900 * DAY, AT, evidence=proof())


@pytest.mark.parametrize("act", [ledger.withdraw, ledger.pause, ledger.resume, ledger.consume, ledger.suspend_approval])
def test_what_is_not_there_is_said_in_a_sentence(ledger_conn: psycopg.Connection, act: "ledger.withdraw") -> None:  # type: ignore[valid-type]
    with pytest.raises(UsageError, match="There is no"):
        act(ledger_conn, "nobody", AT)  # type: ignore[misc]
    assert ledger.position(ledger_conn) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "update events set kind = 'granted'",
        "update events set payload = null, salt = null",
        "update events set position = 99",
        "delete from events",
        "truncate events",
        "truncate events cascade",
    ],
)
def test_f10_events_cannot_be_edited_deleted_or_truncated(ledger_conn: psycopg.Connection, statement: str) -> None:
    (key,) = ledger.grant(ledger_conn, [grant()], AT)
    before = ledger.history(ledger_conn, key)
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        ledger_conn.execute(statement)
    assert ledger.history(ledger_conn, key) == before


def test_erasing_empties_payload_and_salt_and_nothing_else(ledger_conn: psycopg.Connection) -> None:
    first, second = ledger.grant(ledger_conn, [grant(), grant(scope(subject_key=8))], AT)
    (before,) = ledger.history(ledger_conn, first)
    assert ledger.erase_payloads(ledger_conn, [before.position]) == 1
    assert ledger.erase_payloads(ledger_conn, [before.position]) == 0
    (erased,) = ledger.history(ledger_conn, first)
    assert (erased.payload, erased.salt, erased.leaf_hash) == (None, None, before.leaf_hash)
    assert erased.is_erased
    assert not erased.is_intact
    assert ledger.history(ledger_conn, second)[0].is_intact
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        ledger_conn.execute("update events set payload = null, salt = null")


def test_the_erase_function_leaves_no_door_open_in_its_transaction(ledger_conn: psycopg.Connection) -> None:
    ledger.grant(ledger_conn, [grant(), grant(scope(subject_key=8))], AT)
    with ledger_conn.transaction(force_rollback=True):
        ledger.erase_payloads(ledger_conn, [1])
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            ledger_conn.execute("update events set payload = null, salt = null where position = 2")


def documented_payload(salt: bytes, payload: dict[str, Any]) -> dict[str, Any]:
    """docs/proof.md, section 2, with the library that the standard names."""
    if "scopes" not in payload:
        return payload
    salts = [hashlib.sha256(salt + b"\1" + n.to_bytes(4, "big")).digest() for n in range(len(payload["scopes"]))]
    pairs = zip(salts, payload["scopes"], strict=True)
    return payload | {"scopes": [hashlib.sha256(own + rfc8785.dumps(scope)).hexdigest() for own, scope in pairs]}


def test_a_leaf_hash_is_that_of_the_salted_canonical_entry(ledger_conn: psycopg.Connection) -> None:
    (key,) = ledger.grant(ledger_conn, [grant(scope("FAMR"))], AT)
    ledger.withdraw(ledger_conn, key, AT + SECOND)
    table = ledger.events(ledger_conn, 0)
    assert table.schema == ledger.EVENTS_SCHEMA
    for event in ledger.history(ledger_conn, key):
        entry = {
            "position": event.position,
            "instant": event.instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "authorisation_id": key,
            "kind": event.kind,
            "subject": event.subject,
            "payload": documented_payload(event.salt or b"", event.payload or {}),
        }
        assert event.salt is not None
        own = hashlib.sha256(event.salt + b"\0").digest()
        assert event.leaf_hash == hashlib.sha256(own + rfc8785.dumps(entry)).digest()  # type: ignore[arg-type]
        assert event.is_intact
        row = table.filter(pa.compute.equal(table.column("position"), event.position)).to_pylist()[0]
        assert row["payload"].encode() == rfc8785.dumps(event.payload)
    assert len({e.salt for e in ledger.history(ledger_conn, key)}) == 2


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
PAYLOADS = st.dictionaries(
    st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1),
    st.recursive(
        st.none() | st.booleans() | TEXTS | st.integers(-(2**53) + 1, 2**53 - 1),
        lambda inner: st.lists(inner, max_size=3),
    ),
)


@settings(max_examples=200, deadline=None, database=None)
@given(PAYLOADS)
def test_canonical_json_is_that_of_rfc_8785(payload: dict[str, object]) -> None:
    assert canonical(payload) == rfc8785.dumps(payload)  # type: ignore[arg-type]


def test_f10_an_edited_row_no_longer_matches_its_leaf_hash(ledger_conn: psycopg.Connection) -> None:
    (key,) = ledger.grant(ledger_conn, [grant()], AT)
    ledger_conn.execute("alter table events disable trigger user")
    ledger_conn.execute("update events set payload = jsonb_set(payload::jsonb, '{recipient}', '\"mohw\"')::json")
    assert not ledger.history(ledger_conn, key)[0].is_intact


def test_positions_are_gapless_and_in_commit_order_under_concurrent_writers(ledger_dsn_for_test: str) -> None:
    seen: list[list[int]] = []

    def write(subject: int) -> None:
        with psycopg.connect(ledger_dsn_for_test, autocommit=True) as conn:
            for _ in range(10):
                (key,) = ledger.grant(conn, [grant(scope(subject_key=subject))], AT)
                with conn.transaction(force_rollback=True):
                    ledger.withdraw(conn, key, AT)  # a transaction that fails leaves no gap
                seen.append(ledger.snapshot(conn).authorisations.column("ledger_position").to_pylist())

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with psycopg.connect(ledger_dsn_for_test, autocommit=True) as conn:
        assert ledger.events(conn, 0).column("position").to_pylist() == list(range(1, 41))
        assert ledger.position(conn) == 40
    for positions in seen:  # whoever saw position n saw every one before it
        assert sorted(positions) == list(range(1, len(positions) + 1))


def test_a_snapshot_is_of_one_position_inside_a_transaction_too(ledger_dsn_for_test: str) -> None:
    with (
        psycopg.connect(ledger_dsn_for_test, autocommit=True) as conn,
        psycopg.connect(ledger_dsn_for_test, autocommit=True) as other,
    ):
        ledger.grant(conn, [grant()], AT)
        other.execute("set lock_timeout = '100ms'")
        with conn.transaction():
            snapshot = ledger.snapshot(conn)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                ledger.grant(other, [grant()], AT)
        ledger.grant(other, [grant()], AT)
        assert (snapshot.position, snapshot.authorisations.num_rows) == (1, 1)
        assert ledger.snapshot(conn).position == 2


def test_a_write_inside_a_callers_transaction_is_undone_with_it(ledger_conn: psycopg.Connection) -> None:
    with ledger_conn.transaction(force_rollback=True):
        ledger.grant(ledger_conn, [grant()], AT)
    assert ledger.position(ledger_conn) == 0
    assert ledger.snapshot(ledger_conn).authorisations.num_rows == 0


def test_reading_leaves_no_transaction_open_on_a_connection_without_autocommit(ledger_dsn_for_test: str) -> None:
    with psycopg.connect(ledger_dsn_for_test) as conn:
        ledger.position(conn)
        ledger.snapshot(conn)
        ledger.events(conn, 0)
        ledger.history(conn, "x")
        ledger.authorisations_of(conn, 7)
        assert conn.info.transaction_status is psycopg.pq.TransactionStatus.IDLE


def test_migrating_again_changes_nothing(ledger_conn: psycopg.Connection) -> None:
    ledger.grant(ledger_conn, [grant()], AT)
    schema.migrate(ledger_conn)
    assert ledger.position(ledger_conn) == 1


def test_an_approval_is_recorded_once_and_an_equal_one_changes_nothing(ledger_conn: psycopg.Connection) -> None:
    given = approval(approval_id="appr-1")
    assert ledger.approve(ledger_conn, given, AT) == ledger.approve(ledger_conn, given, AT + DAY) == "appr-1"
    with pytest.raises(ForbiddenTransition, match="other terms"):
        ledger.approve(ledger_conn, approval("FAMR", approval_id="appr-1"), AT)
    assert ledger.position(ledger_conn) == 1


def test_suspending_an_approval_empties_the_gate_at_once(ledger_conn: psycopg.Connection) -> None:
    key = ledger.approve(ledger_conn, approval(), AT)
    ledger.grant(ledger_conn, [grant()], AT)
    assert gate.allowed(ledger.snapshot(ledger_conn), AT).num_rows == 1
    ledger.suspend_approval(ledger_conn, key, AT)
    assert gate.allowed(ledger.snapshot(ledger_conn), AT).num_rows == 0


def test_authorisations_are_listed_by_subject_application_state_and_more(ledger_conn: psycopg.Connection) -> None:
    a, b = ledger.grant(ledger_conn, [grant(application_id="A-1"), standing(scope("FAMR", 8), grantor_key=9)], AT)
    ledger.withdraw(ledger_conn, b, AT)
    filters: list[tuple[dict[str, object], list[str]]] = [
        ({"subject_key": 7}, [a]),
        ({"grantor_key": 9}, [b]),
        ({"application_id": "A-1"}, [a]),
        ({"state": "withdrawn"}, [b]),
        ({"document_type": "FAMR", "recipient": "mogef"}, [b]),
        ({"service": "SINGLE_PARENT", "subject_key": 99}, []),
        ({"authorisation_id": "'; select 1 --"}, []),
    ]
    for wanted, expected in filters:
        assert ledger.authorisations(ledger_conn, **wanted).column("authorisation_id").to_pylist() == expected  # type: ignore[arg-type]
    assert ledger.authorisations_of(ledger_conn, 8).column("authorisation_id").to_pylist() == [b]


def test_nothing_more_is_authorised_for_a_decided_application(ledger_conn: psycopg.Connection) -> None:
    applications.open(ledger_conn, application())
    applications.decide(ledger_conn, "A-1", "refused", AT)
    with pytest.raises(ForbiddenTransition, match="decided"):
        ledger.grant(ledger_conn, [grant(application_id="A-1")], AT)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"scopes": ()}, "authorises nothing"),
        ({"valid_until": AT}, "begin before it ends"),
        ({"valid_from": datetime(2026, 1, 1)}, "time zone"),
        ({"recipient": " "}, "not empty"),
        ({"purpose": "a\x00b"}, "control characters"),
        ({"identifier_statute": "a\nb"}, "control characters"),
        ({"identifier_statute": "\ud800"}, "control characters"),
        ({"grantor_key": None}, "grantor"),
        ({"grantor_key": 2**63}, "64-bit"),
        ({"kind": "habit"}, "Kind must be one of"),
        ({"frequency_cap": 0}, "at least 1"),
        ({"scopes": (scope(), scope(variant="head_only"))}, "once"),
    ],
)
def test_a_malformed_grant_is_refused_in_a_sentence(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        grant(**change)


def test_an_approval_names_the_document_of_its_agreement(ledger_conn: psycopg.Connection) -> None:
    key = ledger.approve(ledger_conn, approval(reference="행정안전부-2026-17"), AT)
    (event,) = history_of_subject(ledger_conn, key)
    assert event.is_intact
    assert (event.payload or {})["reference"] == "행정안전부-2026-17"


def test_a_database_of_another_state_of_the_project_is_refused(ledger_conn: psycopg.Connection) -> None:
    """Its rows have other hashes, which would look like tampering."""
    ledger_conn.execute("update ledger_format set version = version - 1")
    with pytest.raises(IntegrityError, match="made by another state of Hanbeon"):
        schema.migrate(ledger_conn)
    ledger_conn.execute("drop table ledger_format")
    with pytest.raises(IntegrityError, match="make clean"):
        schema.migrate(ledger_conn)
