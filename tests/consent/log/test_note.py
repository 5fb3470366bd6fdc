"""Checkpoints, read and verified by this file's own few lines over the bytes."""

import base64
import hashlib
from pathlib import Path

import psycopg
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent.log import note
from hanbeon.errors import IntegrityError
from tests.consent.log.making import ORIGIN, append_events, parties, publish_all

# The verifier's key and note of golang.org/x/mod/sumdb/note, which C2SP's signed-note was written down from.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def parts(vkey: str) -> tuple[str, bytes, bytes]:
    name, key_id, rest = vkey.split("+", 2)
    raw = base64.b64decode(rest)
    assert hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() == key_id
    return name, raw[:1], raw[1:]


def test_operator_and_witness_sign_what_c2sp_says(ledger_conn: psycopg.Connection, tmp_path: Path) -> None:
    who = parties(tmp_path)
    append_events(ledger_conn, 3)
    checkpoint = publish_all(ledger_conn, who)
    text, _, signatures = (who.folder / "checkpoint").read_text(encoding="utf-8").partition("\n\n")
    assert text.split("\n") == [ORIGIN, "3", base64.b64encode(checkpoint.root).decode()]
    by_name = dict(line.removeprefix("— ").split(" ") for line in signatures.splitlines())
    assert list(by_name) == [ORIGIN, f"{ORIGIN}/witness"]
    name, kind, public = parts(who.operator_vkey)
    assert kind == b"\x01"
    raw = base64.b64decode(by_name[name])
    Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], f"{text}\n".encode())
    name, kind, public = parts(who.witness.vkey)
    assert kind == b"\x04"
    raw = base64.b64decode(by_name[name])
    timed = f"cosignature/v1\ntime {int.from_bytes(raw[4:12], 'big')}\n{text}\n"
    Ed25519PublicKey.from_public_bytes(public).verify(raw[12:], timed.encode())
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(raw[12:], timed.replace("\n3\n", "\n4\n").encode())


def test_a_checkpoint_that_is_changed_in_any_line_counts_no_more(
    ledger_conn: psycopg.Connection, tmp_path: Path
) -> None:
    who = parties(tmp_path)
    append_events(ledger_conn, 3)
    checkpoint = publish_all(ledger_conn, who)
    assert note.read(checkpoint.text) == checkpoint
    for key in (who.operator_vkey, who.witness.vkey):
        assert note.is_signed_by(checkpoint, key)
        for wrong in (checkpoint.text.replace("\n3\n", "\n4\n"), checkpoint.text.replace(ORIGIN, "other", 1)):
            assert not note.is_signed_by(note.read(wrong), key)
        stranger = parties(tmp_path / key[-4:-1].replace("/", "-"))
        assert not note.is_signed_by(checkpoint, stranger.operator_vkey)
        assert not note.is_signed_by(checkpoint, stranger.witness.vkey)


def test_a_note_that_another_implementation_signed_verifies() -> None:
    whole = note.Checkpoint("", 0, b"", PETERS_NOTE)
    assert note.is_signed_by(whole, PETER)
    assert not note.is_signed_by(note.Checkpoint("", 0, b"", PETERS_NOTE.replace("answer", "question")), PETER)
    assert not note.is_signed_by(note.Checkpoint("", 0, b"", PETERS_NOTE.replace("— ", "")), PETER)


@pytest.mark.parametrize(
    "text", ["", "a\n", "a\n1\n", "a\n01\nAAAA\n\n", "a\n1\nAAAA\n\n", "a\n-1\n" + "A" * 43 + "=\n\n", "\n1\n\n\n"]
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError):
        note.read(text)
