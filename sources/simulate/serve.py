"""Bring the agencies up: `with serve(home) as endpoints: ...`. Out: where each answers, also in `endpoints.json`.

Started are the agencies' PostgreSQL cluster and one process for REST and court. Where another process serves this home
already (`make up`), its servers are used and left running. Whoever started them stops them; killed, it takes them
along.
"""

import fcntl
import json
import os
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hanbeon.errors import DependencyDown
from hanbeon.settings import PROJECT
from sources import endpoints
from sources.endpoints import Endpoints, HttpEndpoint
from sources.simulate import agency_keys, identity, inbox, nightly, postgres, store
from sources.simulate.server import CLIENT_ID, COURT, HOLDERS, REST_HOLDERS, secret_file

STOP_SECONDS = 10.0


@contextmanager
def serve(
    home: Path,
    *,
    dsn: str = "",
    bind: str = "127.0.0.1",
    name: str = "127.0.0.1",
    token_seconds: float = 600.0,
    requests_per_second: float = 200.0,
) -> Iterator[Endpoints]:
    """Agencies that answer. `dsn` names their PostgreSQL (empty: embedded); `name` is the host that others dial.

    Raises DependencyDown when no world is built, or a server does not start.
    """
    store.read_state(home)
    home = home.resolve()
    options = [f"--token-seconds={token_seconds}", f"--requests-per-second={requests_per_second}"]
    options += [f"--bind={bind}"]
    with postgres.server(home, dsn) as running:
        postgres.reissue(running)
        with _locked(home):
            found = _serving(home)
            started = None if found else _start(home, options)
            given = found or _publish(home, running, name, _ports(started))
        try:
            yield given
        finally:
            if started is not None:
                _stop(home, started)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    with (home / "agencies" / "serve.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _file(home: Path) -> Path:
    return home / "agencies" / endpoints.FILE_NAME


def _serving(home: Path) -> Endpoints | None:
    """The endpoints of agencies that answer already."""
    try:
        given = endpoints.read(_file(home))
        pid = int((home / "agencies" / "serving.pid").read_text(encoding="ascii"))
        os.kill(pid, 0)
        urls = {one.url for one in (*given.rest.values(), *given.court_xml.values(), *given.inbox.values())}
        for url in (*urls, *given.identity.values()):
            with urllib.request.urlopen(f"{url}/health", timeout=5):  # noqa: S310 - our own server
                pass
    except (DependencyDown, OSError, ValueError, urllib.error.URLError):
        return None
    return given


def _start(home: Path, options: list[str]) -> subprocess.Popen[bytes]:
    identity.introduce(home)
    for holder in HOLDERS:
        _make_secret(secret_file(home, holder))
    command = [sys.executable, "-m", "sources.simulate.server", "--home", str(home), *options]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT, env=_environment())


def _environment() -> dict[str, str]:
    paths = [str(PROJECT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(p for p in paths if p)}


def _make_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = path.with_suffix(".part")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(32), encoding="ascii")
        draft.replace(path)


def _ports(process: subprocess.Popen[bytes] | None) -> Mapping[str, int]:
    assert process is not None
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait(STOP_SECONDS)
        raise DependencyDown("The HTTP agencies did not start. Run `python -m sources.simulate.server` to see why.")
    return dict(json.loads(line))


def _publish(home: Path, dsn: str, name: str, ports: Mapping[str, int]) -> Endpoints:
    http = {h: HttpEndpoint(f"http://{name}:{ports[h]}", CLIENT_ID, str(secret_file(home, h))) for h in HOLDERS}
    given = Endpoints(
        postgres={name: postgres.reader_dsn(dsn, home, name) for name in postgres.DATABASES},
        rest={holder: http[holder] for holder in REST_HOLDERS},
        court_xml={COURT: http[COURT]},
        file={f.holder: str(nightly.outbox(home, f.holder)) for f in nightly.FILES},
        identity={identity.ISSUER: f"http://{name}:{ports[identity.NAME]}"},
        inbox=dict.fromkeys(agency_keys.AGENCIES, http[inbox.NAME]),
    )
    endpoints.write(_file(home), given)
    (home / "agencies" / "serving.pid").write_text(str(os.getpid()), encoding="ascii")
    return given


def _stop(home: Path, process: subprocess.Popen[bytes]) -> None:
    with _locked(home):
        _file(home).unlink(missing_ok=True)
        (home / "agencies" / "serving.pid").unlink(missing_ok=True)
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
