"""The witness signs a tree that continues the one it signed last, and no other."""

from pathlib import Path

import psycopg
import pytest

from consent.log import entries, note
from consent.log.note import Checkpoint
from consent.merkle import EMPTY, leaf_hash, root
from hanbeon.errors import IntegrityError
from tests.consent.log.making import ORIGIN, Parties, append_events, parties, publish_all, reference_proof


@pytest.fixture
def who(tmp_path: Path) -> Parties:
    return parties(tmp_path)


def leaves(count: int, start: str = "leaf") -> list[bytes]:
    return [f"{start} {n}".encode() for n in range(count)]


def signed(who: Parties, data: list[bytes]) -> str:
    text = note.body(ORIGIN, len(data), root([leaf_hash(d) for d in data]))
    return text + "\n" + note.sign(text, ORIGIN, who.signers.log)


def test_it_remembers_what_it_signed_before_it_signs(who: Parties) -> None:
    assert who.witness.last() == (0, EMPTY)
    line = who.witness.cosign(signed(who, leaves(5)), 0, [])
    assert who.witness.last() == (5, root([leaf_hash(d) for d in leaves(5)]))
    whole = note.read(signed(who, leaves(5)) + line)
    assert note.is_signed_by(whole, who.witness.vkey)


def test_a_tree_that_continues_is_signed_and_the_same_one_again(who: Parties) -> None:
    who.witness.cosign(signed(who, leaves(5)), 0, [])
    who.witness.cosign(signed(who, leaves(5)), 5, [])
    who.witness.cosign(signed(who, leaves(9)), 5, reference_proof(5, leaves(9)))
    assert who.witness.last()[0] == 9


@pytest.mark.parametrize("fork", [leaves(9, "other"), leaves(5, "other"), leaves(4), [*leaves(4), b"x", *leaves(3)]])
def test_a_forked_tree_is_refused_and_changes_nothing(who: Parties, fork: list[bytes]) -> None:
    who.witness.cosign(signed(who, leaves(5)), 0, [])
    proof = reference_proof(5, fork) if len(fork) > 5 else []
    before = who.witness.last()
    with pytest.raises(IntegrityError, match="witness refuses"):
        who.witness.cosign(signed(who, fork), 5, proof)
    with pytest.raises(IntegrityError, match="witness refuses"):
        who.witness.cosign(signed(who, fork), 0, [])
    assert who.witness.last() == before


def test_a_checkpoint_that_the_operator_did_not_sign_is_refused(who: Parties, tmp_path: Path) -> None:
    stranger = parties(tmp_path / "stranger")
    with pytest.raises(IntegrityError, match="operator's signature"):
        who.witness.cosign(signed(stranger, leaves(3)), 0, [])
    assert who.witness.last() == (0, EMPTY)


def test_a_log_that_starts_over_is_refused_although_files_and_database_agree(
    ledger_conn: psycopg.Connection, who: Parties, tmp_path: Path
) -> None:
    """The witness has seen more of another tree: it never signs this one."""
    who.witness.cosign(signed(who, leaves(2)), 0, [])
    append_events(ledger_conn, 5)
    with pytest.raises(IntegrityError, match="first bad index 0"):
        publish_all(ledger_conn, who)
    entries.sequence(ledger_conn)
    with pytest.raises(IntegrityError, match="witness refuses"):
        publish_all(ledger_conn, who)
    assert not (who.folder / "checkpoint").exists()


def test_a_publisher_that_died_before_it_showed_the_checkpoint_is_gone_on_from(
    ledger_conn: psycopg.Connection, who: Parties
) -> None:
    append_events(ledger_conn, 3)
    shown: Checkpoint = publish_all(ledger_conn, who)
    append_events(ledger_conn, 4)
    publish_all(ledger_conn, who)
    (who.folder / "checkpoint").write_text(shown.text)  # as if the second had died after the cosignature
    append_events(ledger_conn, 2)
    assert publish_all(ledger_conn, who).size == 9
    assert who.witness.last()[0] == 9
