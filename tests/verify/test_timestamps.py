"""A time stamp is worth something only over this log's own checkpoint, by an authority that the auditor trusts."""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from consent import accesses, ledger
from consent.accesses import Access, Action
from consent.log import EmbeddedWitness, newest, note
from consent.log.timestamps import believed, in_der_order, keep, question, trusted
from hanbeon.cli import main
from hanbeon.settings import LogSettings
from pipeline import trusting
from pipeline.attest import attest, operator, witness
from pipeline.ledger_copy import copy_ledger
from pipeline.timestamping import stamp
from tests.small_lake import SmallLake
from tests.tsa import DAY, Authority, Signer, authority, needs_openssl, swapped
from verify import timestamps
from verify import verify as plain

pytestmark = needs_openssl


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("tsa") / "one") as made:
        yield made


@pytest.fixture(scope="module")
def sound(still_lake: SmallLake, tsa: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose newest checkpoint is stamped, and whose keys name the authority."""
    root = tmp_path_factory.mktemp("stamped") / "lake"
    copy_ledger(still_lake.run)
    attest(still_lake.run)
    shutil.copytree(still_lake.run.settings.lake_root, root)
    put(root, tsa)
    trust(root, tsa)
    return root


@pytest.fixture
def own(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "lake"))


def put(root: Path, tsa: Authority) -> None:
    """Stamp the newest checkpoint."""
    checkpoint = newest(root / "log")
    assert checkpoint is not None
    asked = question(checkpoint)
    keep(root / "log", checkpoint, believed(tsa.reply(asked.as_bytes()), asked, checkpoint, trusted(tsa.root)))


def trust(root: Path, *authorities: Authority) -> None:
    """Have the lake's own keys name these authorities."""
    path = root / "log" / "trust.json"
    der = [one.public_bytes(Encoding.DER) for each in authorities for one in trusted(each.root)]
    named = [base64.b64encode(one).decode() for one in der]
    path.write_text(json.dumps({**json.loads(path.read_text()), "timestamps": named}))


def token(root: Path) -> Path:
    (found,) = (root / "log" / "timestamps").glob("*.tsr")
    return found


def said(capsys: pytest.CaptureFixture[str], root: Path, *options: str) -> tuple[int, str]:
    code = main(["verify", str(root), *options])
    return code, capsys.readouterr().out


def test_a_good_stamp_says_before_when_the_log_existed(
    sound: Path, tsa: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    stamped = datetime.now(UTC)
    size = int(token(sound).stem)
    code, out = said(capsys, sound)
    assert code == 0
    assert "1 time stamps" in out
    (line,) = [line.strip() for line in out.splitlines() if "existed before" in line]
    start, _, rest = line.partition(" existed before ")
    at, _, who = rest.partition(", says ")
    assert (start, who) == (f"The log of {size:,} entries", "CN=Test TSA.")
    assert abs(datetime.fromisoformat(at) - stamped) < timedelta(minutes=5)
    assert json.loads(said(capsys, sound, "--json")[1])["checked"]["time stamps"] == 1


def test_the_stand_alone_file_says_what_it_did_not_look_at(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plain.main([str(sound)]) == 0
    out = capsys.readouterr().out
    assert "1 time stamps" in out
    assert "existed before" not in out
    assert "by whom they are, and of when, is checked by `hanbeon verify`" in out


def test_a_stamp_says_the_latest_instant_that_its_inaccuracy_allows(sound: Path, tsa: Authority) -> None:
    given = timestamps.decode_timestamp_response(token(sound).read_bytes())
    read = timestamps.read(sound / "log", int(token(sound).stem), trusted(tsa.root))
    assert read.before - given.tst_info.gen_time == timedelta(seconds=2)  # as the authority is configured


def fails(capsys: pytest.CaptureFixture[str], root: Path, sentence: str, *options: str) -> None:
    """`hanbeon verify` names the stamp and what is wrong with it, and says nothing of when."""
    code, out = said(capsys, root, *options)
    assert code == 1, out
    assert [line for line in out.splitlines() if line.startswith("FAILED log/timestamps/") and sentence in line], out
    assert "existed before" not in out


def test_a_stamp_over_another_checkpoint_is_found_by_both(
    own: Path, tsa: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    other = note.read(note.body("another.test/log", 7, bytes(32)) + "\n— a c2ln\n")
    asked = question(other)
    token(own).write_bytes(believed(tsa.reply(asked.as_bytes()), asked, other, trusted(tsa.root)))
    assert [f for f in plain.verify(own).findings if "over something else" in f]
    fails(capsys, own, "over something else")


def test_a_hash_that_only_lies_somewhere_in_the_file_is_no_stamp_over_it(
    own: Path, tsa: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beyond what the stand-alone file looks at, and it says so."""
    other = note.read(note.body("another.test/log", 7, bytes(32)) + "\n— a c2ln\n")
    mine = token(own).with_suffix(".checkpoint").read_bytes()
    answer = in_der_order(tsa.reply(question(other).as_bytes()))
    token(own).write_bytes(answer + plain.IMPRINTS[0] + plain.sha256(mine))
    assert plain.verify(own).findings == []
    fails(capsys, own, "malformed")


def test_an_authority_that_is_not_trusted_is_found(
    own: Path, tsa: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with authority(tmp_path / "impostor") as impostor:
        put(own, impostor)
    fails(capsys, own, "no certificate for time stamping")
    trust(own, tsa, impostor)
    assert said(capsys, own)[0] == 0


def test_the_auditor_s_own_certificates_count_instead(
    own: Path, tsa: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with authority(tmp_path / "other") as other:
        fails(capsys, own, "no certificate for time stamping", "--tsa", str(other.root))
        trust(own, other)
    fails(capsys, own, "no certificate for time stamping")
    code, out = said(capsys, own, "--tsa", str(tsa.root))
    assert (code, "existed before" in out) == (0, True)
    (tmp_path / "none.pem").write_text("no certificate")
    assert said(capsys, own, "--tsa", str(tmp_path / "none.pem"))[0] == 1
    assert said(capsys, own, "--tsa", str(tmp_path / "missing.pem"))[0] == 1


@pytest.mark.parametrize("named", [["AAAA"], ["not base64!"], "text", [7], {"a": 1}, 7])
def test_certificates_in_the_keys_that_are_none_are_a_finding(
    own: Path, named: object, capsys: pytest.CaptureFixture[str]
) -> None:
    path = own / "log" / "trust.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "timestamps": named}))
    code, out = said(capsys, own)
    assert (code, "trust.json: the file is malformed" in out) == (1, True)


def test_without_any_certificate_the_report_says_that_nothing_was_checked(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust(own)
    code, out = said(capsys, own)
    assert (code, "existed before" in out, "1 time stamps are by an authority that nobody named" in out) == (
        0,
        False,
        True,
    )


def test_a_certificate_for_another_purpose_stamps_nothing(
    own: Path, tsa: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    good = token(own).read_bytes()
    token(own).write_bytes(in_der_order(swapped(tsa, good, ExtendedKeyUsageOID.TIME_STAMPING)))
    assert said(capsys, own)[0] == 0
    token(own).write_bytes(in_der_order(swapped(tsa, good, ExtendedKeyUsageOID.SERVER_AUTH)))
    fails(capsys, own, "no certificate for time stamping")


def test_an_expired_certificate_is_good_for_what_it_signed_before_and_for_nothing_after(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=3)
    with authority(tmp_path / "tsa", signer=Signer(ends=ends)) as made:
        put(own, made)
        trust(own, made)
        while datetime.now(UTC) <= ends + timedelta(seconds=1):
            time.sleep(0.1)
        assert said(capsys, own)[0] == 0
        asked = token(own).with_suffix(".checkpoint").read_text()
        token(own).write_bytes(in_der_order(made.reply(question(note.read(asked)).as_bytes())))
        fails(capsys, own, "was valid then")


def test_one_flipped_bit_is_found_or_changes_nothing_of_what_is_said(own: Path, tsa: Authority) -> None:
    """No signature is over two version numbers and the name of the signature's algorithm: ten bytes at most."""
    roots, path = trusted(tsa.root), token(own)
    size, good = int(path.stem), path.read_bytes()
    before, harmless = timestamps.read(own / "log", size, roots), set()
    for at in range(len(good)):
        for bit in (0, 3, 7):
            path.write_bytes(good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :])
            try:
                assert timestamps.read(own / "log", size, roots) == before
                harmless.add(at)
            except plain.Bad:
                continue
    assert len(harmless) <= 10, harmless


@pytest.mark.parametrize("flaw", [b"", b"\x30", b"rubbish" * 99, b"\x30\x84\xff\xff\xff\xff"])
def test_rubbish_is_a_finding_and_never_a_traceback(own: Path, flaw: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    mine = token(own).with_suffix(".checkpoint").read_bytes()
    token(own).write_bytes(flaw)
    fails(capsys, own, "over something else")
    token(own).write_bytes(flaw + plain.IMPRINTS[1] + plain.sha256(mine))
    fails(capsys, own, "malformed")


def test_the_checkpoint_of_a_stamp_must_be_there_signed_and_of_its_size(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = token(own).with_suffix(".checkpoint")
    text, tsr = mine.read_text(), token(own)
    for at in (0, len(text) // 2, len(text) - 3):
        mine.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])
        fails(capsys, own, "")
    mine.unlink()
    fails(capsys, own, "missing")
    tsr.rename(tsr.with_name("1.tsr"))
    (tsr.with_name("1.checkpoint")).write_text(text)
    fails(capsys, own, "another size than its name")


def test_a_file_that_is_no_stamp_is_found_and_what_a_dead_writer_leaves_is_not(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = own / "log" / "timestamps"
    (folder / ".unfinished").mkdir()
    (folder / ".unfinished" / "0").write_bytes(b"half")
    (folder / "3.checkpoint").write_bytes(b"")
    assert said(capsys, own)[0] == 0
    for name in ("03.tsr", "x.tsr", "3.tsr.old"):
        (folder / name).write_bytes(b"")
        code, out = said(capsys, own)
        assert (code, f"log/timestamps/{name}: the file is no time stamp" in out) == (1, True)
        (folder / name).unlink()


def test_a_log_that_was_cut_back_behind_a_stamp_is_found(
    own_lake: SmallLake, tsa: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made by the writers, end to end: stamped, grown, stamped again, and put back under the first checkpoint."""
    log = LogSettings(timestamps=tsa.url, timestamps_ca_file=str(tsa.root), timestamps_every_hours=1)
    run = replace(own_lake.run, settings=replace(own_lake.run.settings, log=log))
    root = run.settings.lake_root
    copy_ledger(run)
    attest(run)
    trusting.keep(run)
    first = stamp(run)
    assert first is not None
    shutil.copy(root / "log" / "checkpoint", tmp_path / "older")
    accesses.record(run.conn, Access("kim", Action.SQL, "select 1"), run.at())
    attest(run)
    second = stamp(replace(run, at=lambda: first.at + timedelta(hours=1)))
    assert second is not None
    assert second.size > first.size
    code, out = said(capsys, root)
    assert code == 0, out
    assert out.count("existed before") == 2
    shutil.copytree(root, tmp_path / "cut")
    shutil.copy(tmp_path / "older", tmp_path / "cut" / "log" / "checkpoint")
    code, out = said(capsys, tmp_path / "cut")
    assert code == 1
    assert f"log/timestamps/{second.size}.tsr: the log is shorter than when it was stamped" in out


def test_many_stamps_are_said_by_the_oldest_and_the_newest() -> None:
    report = plain.Report()
    timestamps.say([timestamps.Stamp(n, datetime(2026, 6, n, tzinfo=UTC), "CN=T") for n in (3, 5, 9)], report)
    assert report.remarks == [
        "3 sizes of the log have a time stamp; the oldest and the newest:",
        "The log of 3 entries existed before 2026-06-03T00:00:00Z, says CN=T.",
        "The log of 9 entries existed before 2026-06-09T00:00:00Z, says CN=T.",
    ]


NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("index", "instant", "sentence"),
    [
        (9, NOON + HOUR, None),
        (9, NOON + HOUR + SECOND, "after they were stamped"),
        (10, NOON - HOUR, None),
        (10, NOON - HOUR - SECOND, "before a log was stamped that did not hold them"),
        (19, NOON + 25 * HOUR, None),
        (19, NOON + 25 * HOUR + SECOND, "after they were stamped"),
        (20, NOON + 23 * HOUR - SECOND, "before a log was stamped that did not hold them"),
        (20, NOON + 23 * HOUR, None),
    ],
)
def test_an_instant_that_does_not_fit_between_the_stamps_is_remarked(
    index: int, instant: datetime, sentence: str | None
) -> None:
    """The log of 10 entries, 0 to 9, was stamped at noon, that of 20 a day later."""
    stamps, report = [timestamps.Stamp(n, NOON + d * DAY, "CN=T") for n, d in ((10, 0), (20, 1))], plain.Report()
    timestamps.compare(stamps, [(index, 77, instant)], report)
    assert [sentence is not None and sentence in r and "event 77" in r for r in report.remarks] == [True] * bool(
        sentence
    )


def test_an_antedated_event_in_a_sound_log_is_remarked(
    own_lake: SmallLake, tsa: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    """The operator's clock may say anything; the place in the log behind a stamp may not."""
    run = own_lake.run
    attest(run)
    trusting.keep(run)
    put(run.settings.lake_root, tsa)
    trust(run.settings.lake_root, tsa)
    copy_ledger(run)
    assert "Ask the operator" not in said(capsys, run.settings.lake_root)[1]
    assert own_lake.two.consent is not None
    ledger.withdraw(run.conn, own_lake.two.consent, run.at() - timedelta(hours=2))
    copy_ledger(run)
    trust(run.settings.lake_root, tsa)
    out = said(capsys, run.settings.lake_root)[1]
    position = ledger.position(run.conn)
    assert "1 ledger events claim an instant more than an hour before a log was stamped" in out
    assert f"the first is event {position}." in out


@pytest.mark.parametrize("size_of_note", ["256", "512"])
def test_a_good_signature_over_another_hash_than_ours_is_no_stamp(
    own: Path, tsa: Authority, tmp_path: Path, size_of_note: str
) -> None:
    """Of another text; and of this very one, but in SHA-512, which the format does not have."""
    size, mine = int(token(own).stem), token(own).with_suffix(".checkpoint")
    (tmp_path / "other").write_text("another text")
    data = tmp_path / "other" if size_of_note == "256" else mine
    command = ["openssl", "ts", "-query", "-data", str(data), f"-sha{size_of_note}", "-cert"]
    asked = subprocess.run(command, capture_output=True, check=True).stdout
    token(own).write_bytes(in_der_order(tsa.reply(asked)))
    with pytest.raises(plain.Bad, match="over something else"):
        timestamps.read(own / "log", size, trusted(tsa.root))


def test_a_stamped_checkpoint_of_another_history_is_found(
    own_lake: SmallLake, tsa: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    """Operator and witness signed both; the authority's stamp keeps them to the one that was stamped."""
    run, root = own_lake.run, own_lake.run.settings.lake_root
    copy_ledger(run)
    size = attest(run).size
    trust(root, tsa)
    signers, other = operator(run.settings), witness(run.settings)
    assert isinstance(other, EmbeddedWitness)
    text = note.body(signers.origin, size - 1, bytes(32))
    signed = text + "\n" + note.sign(text, signers.origin, signers.log)
    forked = note.read(signed + note.cosign(text, other.name, other._key(), 1_780_273_800))
    asked = question(forked)
    keep(root / "log", forked, believed(tsa.reply(asked.as_bytes()), asked, forked, trusted(tsa.root)))
    assert plain.verify(root).findings == [
        f"log/timestamps/{size - 1}.tsr: the log has another history than when it was stamped"
    ]
    fails(capsys, root, "another history")
