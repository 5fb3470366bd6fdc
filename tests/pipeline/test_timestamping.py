"""Checkpoints are stamped in their cadence; an authority that fails delays nothing, and `hanbeon doctor` says so."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consent import accesses
from consent.accesses import Access, Action
from consent.log import newest
from consent.log.timestamps import newest_stamp
from hanbeon.cli import main
from hanbeon.clock import seoul_text
from hanbeon.commands import common, doctor
from hanbeon.settings import LogSettings, Settings, SourceSettings
from pipeline import timestamping, trusting, verbs
from pipeline.attest import attest
from pipeline.lease import lease
from pipeline.run import Run, open_run
from pipeline.timestamping import FAILURE, RETRY, failure, stamp
from tests.small_lake import SmallLake
from tests.sources.servers import Heard, Said
from tests.tsa import REPLY, Authority, authority, needs_openssl

pytestmark = needs_openssl
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def shared_tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("tsa") / "one") as made:
        yield made


@pytest.fixture
def tsa(shared_tsa: Authority) -> Authority:
    shared_tsa.server.answer = shared_tsa.answer
    shared_tsa.server.heard.clear()
    return shared_tsa


def with_authority(settings: Settings, tsa: Authority) -> Settings:
    log = LogSettings(timestamps=tsa.url, timestamps_ca_file=str(tsa.root))
    return replace(settings, log=log, sources=SourceSettings(timeout_seconds=1.0))


@pytest.fixture
def run(own_lake: SmallLake, tsa: Authority, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A small lake whose settings, for verbs and commands too, name the authority. Something in it is published."""
    settings = with_authority(own_lake.run.settings, tsa)
    monkeypatch.setattr(verbs, "load", lambda: settings)
    monkeypatch.setattr(common, "settings", lambda: settings)
    run = replace(own_lake.run, settings=settings)
    grow(run)
    return run


def grow(run: Run) -> int:
    """One more entry under a checkpoint; the size."""
    accesses.record(run.conn, Access("kim", Action.SQL, "select 1"), run.at())
    return attest(run).size


def later(run: Run, by: timedelta) -> Run:
    return replace(run, at=lambda: run.at() + by)


def said_by_doctor(run: Run) -> tuple[str, int]:
    (found,) = doctor.time_stamps(run)
    return found.detail, found.exit_code


def stamps(run: Run) -> set[str]:
    return {p.name for p in (run.settings.log_path / "timestamps").glob("*")}


def test_a_verb_ends_with_a_stamp_of_the_newest_checkpoint(run: Run, tsa: Authority) -> None:
    assert said_by_doctor(run)[1] == 1
    assert verbs.recover("run-1").verdict == "passed"
    checkpoint = newest(run.settings.log_path)
    assert checkpoint is not None
    assert stamps(run) == {f"{checkpoint.size}.checkpoint", f"{checkpoint.size}.tsr"}
    assert (run.settings.log_path / "timestamps" / f"{checkpoint.size}.checkpoint").read_text() == checkpoint.text
    detail, code = said_by_doctor(run)
    assert (code, f"{checkpoint.size:,} entries existed before" in detail) == (0, True)
    (heard,) = tsa.server.heard
    assert (heard.headers["content-type"], heard.headers["accept"]) == (
        "application/timestamp-query",
        "application/timestamp-reply",
    )


def test_not_every_checkpoint_is_stamped(run: Run, tsa: Authority) -> None:
    first = stamp(run)
    assert first is not None
    assert stamp(later(run, 25 * HOUR)) is None  # nothing new
    size = grow(run)
    just_before = first.at + 24 * HOUR - timedelta(seconds=1)
    assert stamp(replace(run, at=lambda: just_before)) is None
    assert said_by_doctor(replace(run, at=lambda: just_before))[1] == 0
    assert len(tsa.server.heard) == 1
    due = replace(run, at=lambda: first.at + 24 * HOUR)
    assert said_by_doctor(due) == (
        "A checkpoint waits for its time stamp. It is tried again with the next verb, or now with `hanbeon outbox"
        f" --send`; {doctor_says(first.size, first.at)}",
        1,
    )
    second = stamp(due)
    assert second is not None
    assert (second.size, len(tsa.server.heard)) == (size, 2)


def doctor_says(size: int, at: datetime) -> str:
    return f"{size:,} entries existed before {seoul_text(at)}"


def test_without_an_authority_nobody_is_asked_and_nothing_changes(own_lake: SmallLake, tsa: Authority) -> None:
    grow(own_lake.run)
    assert stamp(own_lake.run, is_asked=True) is None
    assert [*doctor.time_stamps(own_lake.run)] == []
    assert stamps(own_lake.run) == set()
    assert "timestamps" not in trusting.trust(own_lake.run)
    assert tsa.server.heard == []


def test_an_authority_that_is_down_holds_up_no_verb_and_is_asked_again(run: Run, tsa: Authority) -> None:
    log = replace(run.settings.log, timestamps=f"http://127.0.0.1:{free_port()}/tsr")
    down = replace(run.settings, log=log)
    before = newest(run.settings.log_path)
    assert before is not None
    with open_run(down, "run-1") as broken:
        size = grow(broken)
        assert stamp(broken) is None
    assert (size, stamps(run)) == (before.size + 1, set())
    detail, code = said_by_doctor(run)
    assert (code, "cannot be reached" in detail, "none yet" in detail) == (3, True, True)
    assert stamp(run) is None  # a moment ago
    assert tsa.server.heard == []
    assert stamp(later(run, RETRY - timedelta(seconds=30))) is None
    made = stamp(later(run, RETRY + timedelta(seconds=1)))
    assert made is not None
    assert made.size == size
    assert said_by_doctor(run)[1] == 0
    assert not (run.settings.home_path / FAILURE).exists()


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def endless(handler: Any) -> None:
    """An answer without end, as fast as it is taken."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\n\r\n")
    for _ in range(100_000):
        handler.wfile.write(bytes(65_536))


def dripping(handler: Any) -> None:
    """An answer whose every byte comes before a time-out of the socket, for half a minute."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\n\r\n")
    for _ in range(300):
        handler.wfile.write(b"0")
        handler.wfile.flush()
        time.sleep(0.1)


def silent(handler: Any) -> None:
    time.sleep(4)


BAD: dict[str, tuple[Callable[[Heard], Said], str]] = {
    "rubbish": (lambda _: Said(b"<html>no</html>", headers=REPLY), "malformed"),
    "nothing": (lambda _: Said(b"", headers=REPLY), "malformed"),
    "another media type": (
        lambda _: Said(b"<html>no</html>", headers={"Content-Type": "text/html"}),
        "something else than a time stamp",
    ),
    "an error": (lambda _: Said(status=500), "answered 500"),
    "a redirection": (lambda _: Said(status=302, headers={"Location": "http://127.0.0.1:9/"}), "redirects"),
    "a hung socket": (lambda _: Said(raw=silent), "did not finish within 1.0 s"),
    "a dripping answer": (lambda _: Said(raw=dripping), "did not finish within 1.0 s"),
    "an endless answer": (lambda _: Said(raw=endless), "more than 65536 bytes"),
    "a broken answer": (lambda _: Said(b"0", headers={**REPLY, "Content-Length": "9"}), "did not finish|broke off"),
}


@pytest.mark.parametrize("kind", BAD)
def test_an_authority_that_answers_badly_is_an_alert_and_nothing_else(run: Run, tsa: Authority, kind: str) -> None:
    tsa.server.answer, sentence = BAD[kind]
    began = time.monotonic()
    assert verbs.recover("run-1").verdict == "passed"
    assert time.monotonic() - began < 10
    assert stamps(run) == set()
    detail, code = said_by_doctor(run)
    assert code in (1, 3)
    assert any(part in detail for part in sentence.split("|")), detail
    assert tsa.server.url not in detail
    assert len(tsa.server.heard) == 1
    tsa.server.answer = tsa.answer
    assert stamp(run, is_asked=True) is not None
    assert said_by_doctor(run)[1] == 0


def test_an_answer_that_was_given_before_is_refused(run: Run, tsa: Authority) -> None:
    """The checkpoint is the same, so that the nonce alone tells."""
    given: list[bytes] = []

    def first_again(heard: Heard) -> Said:
        given.append(tsa.reply(heard.body) if not given else given[0])
        return Said(given[-1], headers=REPLY)

    tsa.server.answer = first_again
    assert stamp(run) is not None
    for path in (run.settings.log_path / "timestamps").iterdir():
        path.unlink()
    assert stamp(run) is None
    assert "another question" in said_by_doctor(run)[0]


def test_an_authority_that_nobody_trusts_stamps_nothing(run: Run, tsa: Authority, tmp_path: Path) -> None:
    with authority(tmp_path / "impostor") as impostor:
        tsa.server.answer = impostor.answer
        assert stamp(run) is None
    assert stamps(run) == set()
    detail, code = said_by_doctor(run)
    assert (code, "timestamps_ca_file" in detail) == (1, True)


def test_certificates_that_cannot_be_read_stop_no_publication(run: Run, tmp_path: Path) -> None:
    gone = replace(run.settings, log=replace(run.settings.log, timestamps_ca_file=str(tmp_path / "gone.pem")))
    with open_run(gone, "run-1") as broken:
        grow(broken)
        trusting.keep(broken)
        assert "timestamps" not in json.loads((broken.settings.log_path / "trust.json").read_text())
        assert stamp(broken) is None
        assert said_by_doctor(broken)[1] == 3


def test_what_auditors_get_names_the_authority_s_certificates(run: Run) -> None:
    trusting.keep(run)
    kept = json.loads((run.settings.log_path / "trust.json").read_text())
    assert len(kept["timestamps"]) == 1


def test_a_stamp_on_disk_that_is_none_is_said_and_stops_nothing(run: Run) -> None:
    folder = run.settings.log_path / "timestamps"
    folder.mkdir()
    (folder / "1.tsr").write_bytes(b"scribble")
    assert verbs.recover("run-1").verdict == "passed"
    detail, code = said_by_doctor(run)
    assert (code, "timestamps/1.tsr" in detail) == (1, True)


def test_a_disk_that_takes_no_stamp_stops_nothing(run: Run) -> None:
    (run.settings.log_path / "timestamps").write_text("a file where the folder belongs")
    assert verbs.recover("run-1").verdict == "passed"
    assert failure(run.settings) is not None
    assert said_by_doctor(run)[1] == 3


def test_two_at_once_ask_once(run: Run, tsa: Authority) -> None:
    with open_run(run.settings, "another") as another, lease(another, "log/timestamps"):
        began = time.monotonic()
        assert stamp(run) is None
        assert time.monotonic() - began < 1
    assert (tsa.server.heard, failure(run.settings)) == ([], None)
    assert stamp(run) is not None


def test_the_outbox_asks_at_once(run: Run, tsa: Authority, capsys: pytest.CaptureFixture[str]) -> None:
    tsa.server.answer = lambda _: Said(status=503)
    assert stamp(run) is None
    tsa.server.answer = tsa.answer
    assert main(["outbox"]) == 0
    assert newest_stamp(run.settings.log_path) is None
    assert main(["outbox", "--send"]) == 0
    assert newest_stamp(run.settings.log_path) is not None
    capsys.readouterr()


def test_a_note_without_answer_that_a_dead_writer_left_is_taken_over(run: Run) -> None:
    checkpoint = newest(run.settings.log_path)
    assert checkpoint is not None
    folder = run.settings.log_path / "timestamps"
    (folder / ".unfinished").mkdir(parents=True)
    (folder / f"{checkpoint.size}.checkpoint").write_text("half")
    assert stamp(run) is not None
    assert (folder / f"{checkpoint.size}.checkpoint").read_text() == checkpoint.text
    assert stamps(run) == {f"{checkpoint.size}.checkpoint", f"{checkpoint.size}.tsr"}


def test_a_memory_that_is_no_memory_hinders_nothing(run: Run) -> None:
    for flaw in ("", "[]", "{}", '{"at": 5, "why": "", "exit_code": 1}', "\0"):
        (run.settings.home_path / FAILURE).write_text(flaw)
        assert timestamping.failure(run.settings) is None
    assert stamp(run) is not None
