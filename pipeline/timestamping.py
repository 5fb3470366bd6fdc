"""Have checkpoints stamped by a time-stamping authority, where the settings name one (RFC 3161; docs/trust.md).

In: a run whose checkpoint is published. Out: the authority's answer beside the log, at most one in
`log.timestamps_every_hours`. Publishing never waits for it: a verb asks when everything else is done, and whatever
goes wrong is remembered for `hanbeon doctor`, raised to nobody, and tried again with a verb ten minutes later or with
`hanbeon outbox --send`.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from consent.append import instant_text
from consent.log import Checkpoint, newest
from consent.log.timestamps import TimeStamp, believed, keep, newest_stamp, question, trusted
from hanbeon.clock import parse_instant
from hanbeon.errors import HanbeonError, SourceError
from hanbeon.settings import Settings, SourceSettings
from lake.files import write_durably
from pipeline.lease import lease_if_free
from pipeline.run import Run
from sources.bounds import deadline
from sources.endpoints import HttpEndpoint
from sources.http import Client

AUTHORITY = "The time-stamping authority"
QUESTION, ANSWER = "application/timestamp-query", "application/timestamp-reply"  # RFC 3161, 3.4
TIMEOUT_SECONDS = 10.0
LONGEST_ANSWER = 65_536
RETRY = timedelta(minutes=10)
FAILURE = "timestamp-failure.json"


@dataclass(frozen=True)
class Failure:
    """The last try, while none has succeeded since."""

    at: datetime
    why: str
    exit_code: int


def stamp(run: Run, is_asked: bool = False) -> TimeStamp | None:
    """Have the newest checkpoint stamped if one is due; what was kept. Raises nothing of its own.

    `is_asked`: somebody asks for it now, so that a failure of a moment ago is no reason to wait.
    """
    if not run.settings.log.timestamps:
        return None
    try:
        with lease_if_free(run, "log/timestamps", seconds=0) as is_held:
            return _stamp(run, is_asked) if is_held else None
    except HanbeonError as error:
        _remember(run, str(error), error.exit_code)
    except (OSError, psycopg.Error) as error:
        _remember(run, f"Disk or database failed ({type(error).__name__}). See to them.", 3)
    return None


def _stamp(run: Run, is_asked: bool) -> TimeStamp | None:
    checkpoint, before = newest(run.settings.log_path), failure(run.settings)
    if before is not None and not is_asked and abs(run.at() - before.at) < RETRY:
        return None
    if checkpoint is None or not is_due(run, checkpoint):
        return None
    roots, asked = trusted(Path(run.settings.log.timestamps_ca_file)), question(checkpoint)
    answer = believed(_ask(run.settings, asked.as_bytes()), asked, checkpoint, roots)
    keep(run.settings.log_path, checkpoint, answer)
    (run.settings.home_path / FAILURE).unlink(missing_ok=True)
    return newest_stamp(run.settings.log_path)


def is_due(run: Run, checkpoint: Checkpoint) -> bool:
    """Whether the log has grown since the last stamp, and that one is old enough. A clock that was set back, or runs
    far behind the authority's, asks too often rather than never."""
    last = newest_stamp(run.settings.log_path)
    if last is None:
        return checkpoint.size > 0
    cadence = timedelta(hours=run.settings.log.timestamps_every_hours)
    return checkpoint.size > last.size and abs(run.at() - last.at) >= cadence


def failure(settings: Settings) -> Failure | None:
    """What went wrong with the last try. A file that says nothing readable is none."""
    try:
        given = json.loads((settings.home_path / FAILURE).read_text(encoding="utf-8"))
        return Failure(parse_instant(given["at"]), str(given["why"]), int(given["exit_code"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def alert(run: Run) -> Failure | None:
    """Why no stamp came when one was due, for `hanbeon doctor`. Raises HanbeonError when files are wrong."""
    trusted(Path(run.settings.log.timestamps_ca_file))
    failed, checkpoint = failure(run.settings), newest(run.settings.log_path)
    if failed is not None:
        return failed
    if checkpoint is not None and is_due(run, checkpoint):
        return Failure(run.at(), "A checkpoint waits for its time stamp.", 1)
    return None


def _remember(run: Run, why: str, exit_code: int) -> None:
    """Nothing fails because this cannot be written: then the next verb asks again at once."""
    try:
        told = {"at": instant_text(run.at()), "why": why, "exit_code": exit_code}
        write_durably(run.settings.home_path / FAILURE, json.dumps(told, ensure_ascii=False).encode())
    except OSError:
        return


def _ask(settings: Settings, request: bytes) -> bytes:
    """The authority's answer, whatever it says. Raises SourceError or DependencyDown."""
    url = settings.log.timestamps
    bounds = _bounds(settings)
    with Client(AUTHORITY, HttpEndpoint(url), "", bounds, deadline(AUTHORITY, bounds)) as client:
        path = "/" if url.endswith("/") or not urlsplit(url).path else ""
        answer = client.post(path, request, QUESTION, "a time stamp", ANSWER)
    if answer.media_type != ANSWER:
        raise SourceError(f"{AUTHORITY} answered with something else than a time stamp. See log.timestamps.")
    return answer.body


def _bounds(settings: Settings) -> SourceSettings:
    """One short try of a small answer. Its host may be dialled because the settings name it; where it is an inner
    address, `sources.allowed_hosts` lists that too, as for every holder (F27)."""
    host = urlsplit(settings.log.timestamps).hostname or ""
    return replace(
        settings.sources,
        allowed_hosts=(*settings.sources.allowed_hosts, host),
        retries=0,
        timeout_seconds=min(TIMEOUT_SECONDS, settings.sources.timeout_seconds),
        max_bytes_per_response=LONGEST_ANSWER,
    )
