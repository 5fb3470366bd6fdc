"""F1, F2 and several at once: the log is always an older valid one, and grows into the same tree."""

import json
import signal
from pathlib import Path

import psycopg

from consent.log import check, newest, note, prove
from consent.merkle import leaf_hash, root_of_path
from tests.consent.log.dying import publish_beside_others, publish_dying, started
from tests.consent.log.making import (
    Parties,
    add_statement,
    all_entries,
    append_events,
    parties,
    publish_all,
    reference_root,
)

EVENTS_AT_ONCE = 120  # a tile is finished now and then
MOST_CALLS = 200


def need_valid(conn: psycopg.Connection, who: Parties) -> int:
    """The checkpoint that lies there is signed by both, and is the root of the first so many entries."""
    checkpoint = newest(who.folder)
    if checkpoint is None:
        return 0
    assert note.is_signed_by(checkpoint, who.operator_vkey)
    assert note.is_signed_by(checkpoint, who.witness.vkey)
    data = all_entries(conn)[: checkpoint.size]
    assert reference_root(data) == checkpoint.root
    for index in {0, checkpoint.size // 2, checkpoint.size - 1}:
        proof = prove(who.folder, index)
        assert proof.entry == data[index]
        assert root_of_path(leaf_hash(proof.entry), index, proof.size, proof.path) == checkpoint.root
    return checkpoint.size


def test_f1_killed_after_every_call_the_log_is_an_older_valid_one_and_goes_on(
    ledger_conn: psycopg.Connection, ledger_dsn_for_test: str, tmp_path: Path
) -> None:
    who = parties(tmp_path)
    before, killed = 0, 0
    for at in range(1, MOST_CALLS):
        append_events(ledger_conn, EVENTS_AT_ONCE)
        add_statement(ledger_conn, f"before kill {at}")
        process = started(publish_dying, ledger_dsn_for_test, tmp_path, at)
        process.join()
        assert need_valid(ledger_conn, who) >= before
        checkpoint = publish_all(ledger_conn, who)
        before = need_valid(ledger_conn, who)
        assert before == checkpoint.size == at * (EVENTS_AT_ONCE + 1)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        killed += 1
    assert 20 < killed < MOST_CALLS - 2
    assert not check.contradictions(ledger_conn, who.folder, who.witness)
    undisturbed = parties(tmp_path / "undisturbed")
    assert publish_all(ledger_conn, undisturbed).root == checkpoint.root
    for path in undisturbed.folder.rglob("*"):
        if path.is_file() and path.name != "checkpoint":
            assert (who.folder / path.relative_to(undisturbed.folder)).read_bytes() == path.read_bytes()
    assert not list(who.folder.rglob(".unfinished"))


def test_f4_several_publishers_at_once_make_one_linear_log(
    ledger_conn: psycopg.Connection, ledger_dsn_for_test: str, tmp_path: Path
) -> None:
    who, times = parties(tmp_path), 12
    publishers = [started(publish_beside_others, ledger_dsn_for_test, tmp_path, n, times) for n in ("a", "b", "c", "d")]
    for publisher in publishers:
        publisher.join()
    assert [publisher.exitcode for publisher in publishers] == [0] * len(publishers)
    assert need_valid(ledger_conn, who) == len(publishers) * times * 4
    assert not check.contradictions(ledger_conn, who.folder, who.witness)
    texts = [json.loads(line)["body"]["text"] for line in (who.folder / "bodies/000").read_text().splitlines()]
    assert sorted(texts) == sorted(f"{name} {n}" for name in "abcd" for n in range(times))
