"""`hanbeon doctor`: is everything there, reachable, and in agreement? One line a check; exit 1 or 3 where not."""

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer

from hanbeon.clock import seoul_text
from hanbeon.commands.common import Json, new_run_id, print_rows, settings
from hanbeon.errors import DependencyDown, HanbeonError

if TYPE_CHECKING:
    from hanbeon.settings import Settings
    from pipeline.run import Run

HEADINGS = {"check": "점검 check", "result": "결과 result", "detail": "내용 detail"}


@dataclass(frozen=True)
class Finding:
    """`exit_code` 0: good; else what the command exits with."""

    check: str
    detail: str
    exit_code: int = 0

    @property
    def result(self) -> str:
        return {0: "good", 3: "down"}.get(self.exit_code, "WRONG")


def doctor(as_json: Json = False) -> None:
    """Check settings, keys, database, the lake against its leaves, contracts and agencies."""
    chosen = settings()
    found = [Finding("settings", f"home is {chosen.home_path}"), *_keys(chosen)]
    try:
        from pipeline.run import open_run

        with open_run(chosen, new_run_id()) as run:  # looks on: what is new comes into the log with the next command
            found += [*_ledger(run), *_destroyed(run), *_log(run), *time_stamps(run), *_lake(run), *_erasing(run)]
            found += [*_reviews(run), *overlaps(run)]
    except HanbeonError as error:
        found.append(Finding("ledger", str(error), error.exit_code))
    found += [*_contracts(), *_agencies(chosen)]
    rows = [{"check": f.check, "result": f.result, "detail": f.detail} for f in found]
    print_rows(rows, HEADINGS, as_json=as_json, title="점검 Doctor", empty="")
    worst = {f.exit_code for f in found}
    if worst - {0}:
        raise typer.Exit(1 if 1 in worst or 2 in worst else 3)


def _keys(chosen: "Settings") -> Iterator[Finding]:
    path = chosen.keys_path
    if chosen.keys.service != "files":
        yield Finding("keys", f"in the key service at {chosen.keys.address}")
    if not path.is_dir():
        yield Finding("keys", "none yet; the first command that needs them makes them")
        return
    files = [f for f in sorted(path.iterdir()) if f.is_file()]
    loose = [f.name for f in [path, *files] if stat.S_IMODE(f.stat().st_mode) & 0o077]
    if loose:
        yield Finding("keys", f"others may read {', '.join(loose)}; take their rights away with chmod go-rwx", 1)
    else:
        yield Finding("keys", f"{len(files)} files, readable by their owner alone")


def _destroyed(run: "Run") -> Iterator[Finding]:
    """Whether the keys are those of the database, and those that were destroyed are still gone (F47)."""
    from consent.key_versions import put_back, standing, versions

    try:
        if versions(run.conn):
            with run.conn.transaction():
                standing(run.conn, run.secrets)
    except HanbeonError as error:
        yield Finding("keys", str(error), error.exit_code)
    back = [f"{name} {version}" for name, version in put_back(run.conn, run.secrets.service)]
    if back:
        said = f"destroyed versions are there again: {', '.join(back)}; an old copy of the keys was restored"
        yield Finding("keys", f"{said}. The next `hanbeon keys rotate` of that name destroys them again", 1)


def _ledger(run: "Run") -> Iterator[Finding]:
    from consent import ledger
    from consent.journal import open_intents

    yield Finding("ledger", f"reachable, at position {ledger.position(run.conn):,}")
    waiting = open_intents(run.conn)
    if waiting:
        yield Finding(
            "intents", f"{len(waiting)} writes have no end; if no run is at work, `hanbeon recover` settles them", 1
        )


def _log(run: "Run") -> Iterator[Finding]:
    from consent.log import newest
    from pipeline.attest import need_no_contradiction

    try:
        need_no_contradiction(run)
        checkpoint = newest(run.settings.log_path)
    except HanbeonError as error:
        yield Finding("log", str(error), error.exit_code)
        return
    held = "no checkpoint yet" if checkpoint is None else f"{checkpoint.size:,} entries"
    yield Finding("log", f"{held}; database, tiles and witness agree" if checkpoint else held)


def time_stamps(run: "Run") -> Iterator[Finding]:
    """Whether the authority that the settings name stamps checkpoints in time; nothing where none is named."""
    from consent.log.timestamps import newest_stamp
    from pipeline.timestamping import alert

    if not run.settings.log.timestamps:
        return
    try:
        wrong, last = alert(run), newest_stamp(run.settings.log_path)
    except HanbeonError as error:
        yield Finding("time stamps", str(error), error.exit_code)
        return
    held = "none yet" if last is None else f"{last.size:,} entries existed before {seoul_text(last.at)}"
    if wrong is None:
        yield Finding("time stamps", held)
    else:
        again = "It is tried again with the next verb, or now with `hanbeon outbox --send`"
        yield Finding("time stamps", f"{wrong.why} {again}; {held}", wrong.exit_code)


def _lake(run: "Run") -> Iterator[Finding]:
    from consent import journal
    from pipeline.reading import findings

    wrong = findings(run)
    yield from (Finding("lake", sentence, 1) for sentence in wrong)
    if not wrong:
        tables = len(journal.pointer(run.conn))
        yield Finding("lake", f"{tables} tables; pointer, leaves and files agree" if tables else "no table yet")


def _erasing(run: "Run") -> Iterator[Finding]:
    """Whether what was erased is gone in time, and who has not acknowledged what it was told."""
    from consent import outbox
    from pipeline.deadline import is_overdue

    if is_overdue(run):
        days = run.settings.retention.erase_within_days
        yield Finding("erasing", f"an erasure has no end after {days} days; `hanbeon erase --now` ends it", 1)
    else:
        yield Finding("erasing", "within its deadline")
    late = outbox.overdue(run.conn, run.at())
    if late:
        yield Finding("outbox", f"{len(late)} messages are not acknowledged in time; `hanbeon outbox` lists them", 1)


def _reviews(run: "Run") -> Iterator[Finding]:
    """Whether somebody looks through the access records as often as the law wants it (F64)."""
    from pipeline.review import is_missed

    if is_missed(run):
        days = run.settings.review.every_days
        yield Finding("review", f"access records wait for a review for more than {days} days; `hanbeon review run`", 1)
    else:
        yield Finding("review", "access records are reviewed in time")


def overlaps(run: "Run") -> Iterator[Finding]:
    """Which former versions end soon or are over, and whether the latter are empty."""
    from pipeline.sharing import overdue
    from schemas.contract import published
    from schemas.versions import ends

    yield from (Finding("versions", sentence) for sentence in ends(published(), run.at()))
    held = overdue(run)
    if held:
        yield Finding("versions", f"over, and not empty yet: {', '.join(held)}; `hanbeon publish` empties them", 1)


def _contracts() -> Iterator[Finding]:
    from schemas.check import check

    wrong = check()
    detail = f"{len(wrong)} findings; `hanbeon contracts check` lists them" if wrong else "every contract agrees"
    yield Finding("contracts", detail, 1 if wrong else 0)


def _agencies(chosen: "Settings") -> Iterator[Finding]:
    from sources import endpoints

    try:
        known = endpoints.read(chosen.agencies_path / endpoints.FILE_NAME)
    except DependencyDown:
        yield Finding("agencies", "none is up; `hanbeon world serve` starts the simulated ones", 3)
        return
    except HanbeonError as error:
        yield Finding("agencies", str(error), error.exit_code)
        return
    for holder, dsn in known.postgres.items():
        yield _asked(holder, _postgres, dsn)
    for holder, endpoint in [*known.rest.items(), *known.court_xml.items()]:
        yield _asked(holder, _dial, endpoint.url)
    for holder, folder in known.file.items():
        yield _asked(holder, _folder, folder)


def _asked(holder: str, ask: Callable[[str], None], address: str) -> Finding:
    try:
        ask(address)
    except OSError:
        return Finding(f"agency {holder}", "does not answer; is it up?", 3)
    return Finding(f"agency {holder}", "answers")


def _postgres(dsn: str) -> None:
    import psycopg

    try:
        psycopg.connect(dsn, connect_timeout=3).close()
    except psycopg.Error as error:
        raise ConnectionError from error


def _dial(url: str) -> None:
    import socket

    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    socket.create_connection((parts.hostname or "", port), timeout=3).close()


def _folder(folder: str) -> None:
    from pathlib import Path

    if not Path(folder).is_dir():
        raise FileNotFoundError
