"""An answer of a time-stamping authority is believed only over this checkpoint, to this question, by whom we trust."""

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from consent.log import note
from consent.log.note import Checkpoint
from consent.log.timestamps import believed, in_der_order, keep, newest_stamp, question, trusted
from hanbeon.errors import DependencyDown, IntegrityError, SettingsError
from tests.tsa import DAY, Authority, Signer, authority, needs_openssl, swapped

pytestmark = needs_openssl


def checkpoint(size: int, origin: str = "hanbeon.test/log") -> Checkpoint:
    text = note.body(origin, size, bytes(32)) + f"\n— {origin} c2lnbmVk\n"
    return note.read(text)


SEVEN = checkpoint(7)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("tsa") / "one") as made:
        yield made


def stamped(tsa: Authority, folder: Path, one: Checkpoint = SEVEN) -> None:
    asked = question(one)
    keep(folder, one, believed(tsa.reply(asked.as_bytes()), asked, one, trusted(tsa.root)))


def test_what_is_kept_is_two_files_that_openssl_verifies_too(tsa: Authority, tmp_path: Path) -> None:
    stamped(tsa, tmp_path)
    folder = tmp_path / "timestamps"
    assert {p.name for p in folder.iterdir()} == {"7.checkpoint", "7.tsr"}
    assert (folder / "7.checkpoint").read_text() == SEVEN.text
    last = newest_stamp(tmp_path)
    assert last is not None
    assert (last.size, abs(last.at - datetime.now(UTC)) < timedelta(minutes=1)) == (7, True)
    command = ["openssl", "ts", "-verify", "-data", str(folder / "7.checkpoint"), "-in", str(folder / "7.tsr")]
    said = subprocess.run([*command, "-CAfile", str(tsa.root)], capture_output=True, text=True)
    assert "Verification: OK" in said.stdout, said.stderr


def test_the_newest_stamp_is_that_of_the_largest_log(tsa: Authority, tmp_path: Path) -> None:
    assert newest_stamp(tmp_path) is None
    for size in (7, 123, 45):
        stamped(tsa, tmp_path, checkpoint(size))
    last = newest_stamp(tmp_path)
    assert last is not None
    assert last.size == 123
    (tmp_path / "timestamps" / "123.tsr").write_bytes(b"not a time stamp")
    with pytest.raises(IntegrityError, match=r"timestamps/123\.tsr is no time stamp"):
        newest_stamp(tmp_path)


def test_two_questions_about_one_checkpoint_have_nonces_of_their_own() -> None:
    nonces = {question(SEVEN).nonce for _ in range(20)}
    assert len(nonces) == 20
    assert None not in nonces


def test_an_answer_to_another_question_about_the_same_checkpoint_is_refused(tsa: Authority) -> None:
    first, second = question(SEVEN), question(SEVEN)
    answer = tsa.reply(first.as_bytes())
    assert believed(answer, first, SEVEN, trusted(tsa.root))
    with pytest.raises(IntegrityError, match="another question"):
        believed(answer, second, SEVEN, trusted(tsa.root))


@pytest.mark.parametrize("other", [checkpoint(8), checkpoint(7, "another.test/log")])
def test_an_answer_over_another_checkpoint_is_refused(tsa: Authority, other: Checkpoint) -> None:
    asked = question(other)
    with pytest.raises(IntegrityError, match="over something else"):
        believed(tsa.reply(asked.as_bytes()), asked, SEVEN, trusted(tsa.root))


def test_an_answer_over_another_kind_of_hash_is_refused(tsa: Authority, tmp_path: Path) -> None:
    (tmp_path / "note").write_text(SEVEN.text)
    command = ["openssl", "ts", "-query", "-data", str(tmp_path / "note"), "-sha512", "-cert"]
    asked = subprocess.run(command, capture_output=True, check=True).stdout
    with pytest.raises(IntegrityError, match="over something else"):
        believed(tsa.reply(asked), question(SEVEN), SEVEN, trusted(tsa.root))


def test_an_authority_of_the_same_name_under_another_root_is_refused(tsa: Authority, tmp_path: Path) -> None:
    asked = question(SEVEN)
    with authority(tmp_path / "impostor") as impostor:
        answer = impostor.reply(asked.as_bytes())
    assert believed(answer, asked, SEVEN, trusted(impostor.root))
    with pytest.raises(IntegrityError, match="no certificate that"):
        believed(answer, asked, SEVEN, trusted(tsa.root))


def test_a_certificate_for_another_purpose_stamps_nothing(tsa: Authority) -> None:
    asked = question(SEVEN)
    answer = tsa.reply(asked.as_bytes())
    assert believed(swapped(tsa, answer, ExtendedKeyUsageOID.TIME_STAMPING), asked, SEVEN, trusted(tsa.root))
    with pytest.raises(IntegrityError, match="no certificate that"):
        believed(swapped(tsa, answer, ExtendedKeyUsageOID.CODE_SIGNING), asked, SEVEN, trusted(tsa.root))


@pytest.mark.parametrize(("begins", "ends"), [(-9, -1), (1, 9)], ids=["over", "not begun"])
def test_a_certificate_that_is_not_valid_at_the_stamp_s_own_time_is_refused(
    tmp_path: Path, begins: int, ends: int
) -> None:
    now, asked = datetime.now(UTC), question(SEVEN)
    with (
        authority(tmp_path / "tsa", signer=Signer(now + begins * DAY, now + ends * DAY)) as made,
        pytest.raises(IntegrityError, match="no certificate that"),
    ):
        believed(made.reply(asked.as_bytes()), asked, SEVEN, trusted(made.root))


def test_a_stamp_outlives_the_certificate_that_was_valid_when_it_signed(tmp_path: Path) -> None:
    ends, asked = datetime.now(UTC) + timedelta(seconds=3), question(SEVEN)
    with authority(tmp_path / "tsa", signer=Signer(ends=ends)) as made:
        answer = made.reply(asked.as_bytes())
    while datetime.now(UTC) <= ends + timedelta(seconds=1):
        time.sleep(0.1)
    assert believed(answer, asked, SEVEN, trusted(made.root))


def test_a_refusal_of_the_authority_is_no_time_stamp(tsa: Authority, tmp_path: Path) -> None:
    (tmp_path / "note").write_text(SEVEN.text)
    command = ["openssl", "ts", "-query", "-data", str(tmp_path / "note"), "-sha384", "-cert"]
    refused = tsa.reply(subprocess.run(command, capture_output=True, check=True).stdout)
    with pytest.raises(IntegrityError, match="grants no time stamp"):
        believed(refused, question(SEVEN), SEVEN, trusted(tsa.root))


@pytest.mark.parametrize("length", range(0, 1200, 37))
def test_an_answer_that_is_cut_off_or_noise_is_refused_in_a_sentence(tsa: Authority, length: int) -> None:
    asked = question(SEVEN)
    answer = tsa.reply(asked.as_bytes())
    assert length < len(answer)
    for given in (answer[:length], os.urandom(length), b"\x30" * length, answer[:length] + os.urandom(99)):
        with pytest.raises(IntegrityError, match="is not believed"):
            believed(given, asked, SEVEN, trusted(tsa.root))


def test_certificates_come_into_order_and_nothing_else_changes(tsa: Authority) -> None:
    answer = tsa.reply(question(SEVEN).as_bytes())
    ordered = in_der_order(answer)
    assert ordered != answer  # as OpenSSL's authority sends them; without this the test shows nothing
    assert sorted(ordered) == sorted(answer)
    assert in_der_order(ordered) == ordered


def test_a_file_without_certificates_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DependencyDown, match="timestamps_ca_file"):
        trusted(tmp_path / "missing.pem")
    for flaw in (b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        (tmp_path / "flawed.pem").write_bytes(flaw)
        with pytest.raises(SettingsError, match="PEM"):
            trusted(tmp_path / "flawed.pem")
