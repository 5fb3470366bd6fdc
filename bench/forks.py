"""One pytest session, collected once, that runs chosen tests in a forked child for each mutant.

In: tests collected by pytest in the folder of the mutated copy. Out of `reach`: for each function, the tests that reach
it, and what each test costs. Out of `first_failure`: the test that fails first while a mutant is switched on, or none.

The parent only collects. It runs no test, so it has no threads that a fork would lose and remembers nothing that a
mutant would have changed. What a fixture of a module or a session reaches counts for every test that asks for it.
"""

import gc
import hashlib
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

SHARED = {"postgres_dsn": "HANBEON_TEST_POSTGRES", "lake_template": "HANBEON_TEST_LAKE"}  # by the fixture that makes it
GRACE_SECONDS, GRACE_FACTOR = 30, 10  # how long a test may take under a mutant, beside what it costs without one


@dataclass
class Reach:
    """What the tests reach without a mutant."""

    functions: dict[str, set[str]] = field(default_factory=dict)  # by test, with the fixtures that it asks for
    seconds: dict[str, float] = field(default_factory=dict)  # by test, with the fixtures of its module
    of_fixture: dict[str, set[str]] = field(default_factory=dict)  # what a fixture of a session reaches by itself

    def tests(self, function: str) -> list[str]:
        """Those that reach it: first the tests named like its module, then the others, cheap first.

        A test counts as dearer the more of its file come before it: tests of one file look at much the same.
        """
        module = function.rpartition(".")[0].rpartition(".")[2]
        found = [test for test, functions in self.functions.items() if function in functions]
        place, seen = {}, Counter[str]()
        for test in sorted(found, key=lambda test: (self.seconds[test], test)):
            file = test.partition("::")[0]
            seen[file] += 1
            place[test] = (not file.endswith(f"/test_{module}.py"), self.seconds[test] * sqrt(seen[file]), test)
        return sorted(found, key=lambda test: place[test])


def _sources(file: Path) -> Iterable[Path]:
    """A file of tests, and the helpers that it may use."""
    helpers = [*Path("tests").glob("*.py"), *Path("tests/consent").glob("*.py"), *file.parent.glob("*.py")]
    return [file, *(p for p in helpers if not p.name.startswith("test_"))]


def digest(files: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for file in sorted(set(files)):
        whole.update(f"{file}\0".encode() + file.read_bytes())
    return whole.hexdigest()[:16]


class _Watch:
    """The plugin of a child that measures: which functions each test and each shared fixture reach."""

    def __init__(self) -> None:
        self.functions: dict[str, list[str]] = {}
        self.seconds: dict[str, float] = {}
        self._shared: dict[str, tuple[set[str], float, bool]] = {}

    def said(self) -> dict[str, Any]:
        of_session = {name: sorted(f) for name, (f, _, is_session) in self._shared.items() if is_session}
        return {"functions": self.functions, "seconds": self.seconds, "of_fixture": of_session}

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        if fixturedef.scope == "function":
            return (yield)
        before, state()._stats, began = state()._stats, set(), time.perf_counter()
        try:
            return (yield)
        finally:
            seconds = time.perf_counter() - began
            self._shared[fixturedef.argname] = (state()._stats, seconds, fixturedef.scope == "session")
            state()._stats = before

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        known = set(self._shared)
        state()._stats, began = set(), time.perf_counter()
        done = yield
        own = time.perf_counter() - began
        asked = set(item.fixturenames) & set(self._shared)
        self.functions[item.nodeid] = sorted(state()._stats.union(*(self._shared[name][0] for name in asked)))
        of_session = sum(self._shared[name][1] for name in asked - known if self._shared[name][2])
        of_module = sum(self._shared[name][1] for name in asked & known if not self._shared[name][2])
        self.seconds[item.nodeid] = max(0.0, own - of_session) + of_module
        return done


class _FirstFailure:
    def __init__(self) -> None:
        self.test: str | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.test is None:
            self.test = f"{report.nodeid} ({report.when})"


class Session:
    """The plugin that gives `work` the collected tests instead of running them."""

    def __init__(self, work: Callable[["Session"], None]) -> None:
        self._work = work
        self._session: pytest.Session
        self._result = Path("fork.json").absolute()
        self.items: dict[str, pytest.Item] = {}

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "timeout: of the plugin that is off here; every test has a limit of its own")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            raise SystemExit(f"The tests cannot be collected: {report.longrepr}")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._session = session
        self.items = {item.nodeid: item for item in session.items}
        threads = len(os.listdir("/proc/self/task")) if Path("/proc/self/task").exists() else 1
        if threads != 1:
            print(f"Note: the collecting process has {threads} threads; a fork keeps one.", flush=True)
        gc.collect()
        gc.freeze()  # or each child would copy what it never changes
        self._work(self)
        return True

    def reach(self) -> Reach:
        """Every test once, without a mutant, file by file. One that fails now would kill every mutant: it ends here."""
        found, common = Reach(), digest(p for p in Path().rglob("*.py") if p.parts[0] not in ("tests", "bench"))
        for file in sorted({test.partition("::")[0] for test in self.items}):
            tests = [test for test in self.items if test.partition("::")[0] == file]
            kept = Path("reach") / f"{file.replace('/', '.')}.{common}.{digest(_sources(Path(file)))}.json"
            said = json.loads(kept.read_text()) if kept.exists() else self._measured(file, tests, kept)
            found.functions |= {test: set(functions) for test, functions in said["functions"].items()}
            found.seconds |= said["seconds"]
            for name, functions in said["of_fixture"].items():
                found.of_fixture.setdefault(name, set()).update(functions)
        return found

    def _measured(self, file: str, tests: Sequence[str], kept: Path) -> dict[str, Any]:
        """Kept on disk until a source or this file of tests changes."""
        how, said = self._fork(tests, "stats", 1800)
        if how or said["failed"]:
            raise SystemExit(f"Without any mutant, {said.get('failed') or file} fails{how and f' ({how})'}.")
        print(f"  {sum(said['seconds'].values()):7.1f} s  {len(tests):4}  {file}", flush=True)
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(said))
        return said

    def first_failure(self, mutant: str, tests: Sequence[str], reach: Reach) -> tuple[str, str | None]:
        """("killed" | "survived" | "timeout", the test that says so)."""
        how, said = self._fork(tests, mutant, None, reach)
        if said.get("failed"):
            return "killed", said["failed"]
        if how == "timeout":
            return how, said.get("running")
        return ("killed", f"{said.get('running')} ({how})") if how else ("survived", None)

    def _fork(
        self, tests: Sequence[str], mutant: str, seconds: float | None, reach: Reach | None = None
    ) -> tuple[str, dict[str, Any]]:
        """How the child ended when it did not end by itself, else nothing; and what it wrote."""
        self._result.write_text("{}")
        child = os.fork()
        if child == 0:
            os.setsid()
            self._in_child(tests, mutant, seconds, reach)
        try:
            _, status = os.waitpid(child, 0)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # what it started and left behind, or itself when we are stopped
        said = json.loads(self._result.read_text())
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            return ("timeout" if number == signal.SIGALRM else signal.Signals(number).name), said
        return ("" if os.WEXITSTATUS(status) == 0 else f"exit {os.WEXITSTATUS(status)}"), said

    def _in_child(self, tests: Sequence[str], mutant: str, seconds: float | None, reach: Reach | None) -> None:
        code = 70
        try:
            quiet = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(quiet, stream)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            self._share(mutant, reach)
            set_mutant_under_test(mutant)
            failure, watch = _FirstFailure(), _Watch()
            manager = self._session.config.pluginmanager
            manager.register(failure)
            if reach is None:
                manager.register(watch)
            for at, test in enumerate(tests):
                limit = seconds or GRACE_SECONDS + GRACE_FACTOR * (reach.seconds[test] if reach else 0)
                if reach is not None:
                    self._result.write_text(json.dumps({"running": test}))
                signal.alarm(int(limit) + 1)
                item = self.items[test]
                nextitem = self.items[tests[at + 1]] if at + 1 < len(tests) else None
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
                if failure.test:
                    break
            self._result.write_text(json.dumps({"failed": failure.test, **watch.said()}))
            signal.alarm(120)
            self._session._setupstate.teardown_exact(None)
            code = 0
        finally:
            os._exit(code)

    def _share(self, mutant: str, reach: Reach | None) -> None:
        """What another child made, for every mutant that has no part in the making."""
        function = mutant.partition("__mutmut_")[0]
        for name, variable in SHARED.items():
            if reach is None or function in reach.of_fixture.get(name, set()):
                os.environ.pop(variable, None)
        if "HANBEON_TEST_POSTGRES" not in os.environ:
            os.environ.pop("HANBEON_TEST_LAKE", None)
