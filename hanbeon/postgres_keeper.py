"""The process beside an embedded PostgreSQL: it starts the server, and stops it when its last user is gone.

`hanbeon.postgres` runs this file with the bare interpreter (standard library only), never imports it:

    python -I -S postgres_keeper.py run FOLDER PROGRAM ARGUMENT...     run a program as PostgreSQL wants it: not as root
    python -I -S postgres_keeper.py keep FOLDER PROGRAM ARGUMENT...    start the server and watch over it

A user of the cluster holds a shared lock on `users.lock`. The kernel drops it however the user ends, so that even
SIGKILL leaves no server behind for longer than a moment. Whoever stops a server holds `cluster.lock` first.
"""

import ctypes
import fcntl
import os
import pwd
import signal
import sys
import time
from pathlib import Path

LOOK_EVERY_SECONDS = 0.25
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1


def own(folder: Path, uid: int, gid: int) -> None:
    """Give the cluster's folder, and nothing outside it, to one owner."""
    if all(p.stat().st_uid == uid for p in (folder, *folder.iterdir())):
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, gid, follow_symlinks=False)


def map_user(uid: int, gid: int) -> bool:
    """Become an unprivileged user inside a user namespace of its own; files keep their real owner."""
    real = os.getuid(), os.getgid()
    if not sys.platform.startswith("linux") or ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        return False
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/gid_map").write_text(f"{gid} {real[1]} 1")
    Path("/proc/self/uid_map").write_text(f"{uid} {real[0]} 1")
    return True


def leave_root(folder: Path) -> None:
    """PostgreSQL refuses root. A namespace needs no other account's rights; without one, be `nobody`."""
    if os.geteuid() != 0:
        return
    nobody = pwd.getpwnam("nobody")
    own(folder, 0, 0)
    if map_user(nobody.pw_uid, nobody.pw_gid):
        return
    own(folder, nobody.pw_uid, nobody.pw_gid)
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)


def run(folder: Path, command: list[str]) -> None:
    leave_root(folder)
    os.execv(command[0], command)  # noqa: S606


def start(folder: Path, command: list[str]) -> int:
    """The server as a child: its output goes to the folder's log, and it shuts down if this process is killed."""
    server = os.fork()
    if server:
        return server
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    leave_root(folder)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    os.execv(command[0], command)  # noqa: S606


def is_free(path: Path) -> int | None:
    """The lock file's descriptor, locked, when nobody else holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def users_are_gone(folder: Path) -> bool:
    """Whether nobody uses the cluster. If so, `cluster.lock` stays held, so that nobody enters any more."""
    cluster = is_free(folder / "cluster.lock")
    if cluster is None:
        return False
    users = is_free(folder / "users.lock")
    if users is None:
        os.close(cluster)
    return users is not None


def watch(folder: Path, server: int) -> None:
    while os.waitpid(server, os.WNOHANG) == (0, 0):
        time.sleep(LOOK_EVERY_SECONDS)
        if users_are_gone(folder):
            os.kill(server, signal.SIGINT)
            os.waitpid(server, 0)
            return


def keep(folder: Path, command: list[str]) -> None:
    """Hold `keeper.lock` for life. The caller waits for the first process only; the forked one watches."""
    lock = is_free(folder / "keeper.lock")
    if lock is None:
        sys.exit("another keeper is alive")
    if os.fork():
        os._exit(0)
    os.setsid()
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.SIG_IGN)
    server = start(folder, command)
    watch(folder, server)


if __name__ == "__main__":
    {"run": run, "keep": keep}[sys.argv[1]](Path(sys.argv[2]), sys.argv[3:])
