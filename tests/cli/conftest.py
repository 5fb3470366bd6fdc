"""The command line as a user meets it: arguments in; exit code, standard output and standard error out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hanbeon.cli import main
from sources import endpoints
from sources.simulate.identity import ISSUER
from sources.simulate.identity_server import serve_identity
from tests.small_lake import SmallLake


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Hanbeon = Callable[..., Said]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Hanbeon:
    """Run a command in a home of its own, where nothing is yet and no database is up."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANBEON_HOME__PATH", "var")
    monkeypatch.setenv("HANBEON_LEDGER__DSN", "postgresql://127.0.0.1:9/nobody?connect_timeout=1")

    def hanbeon(*arguments: str) -> Said:
        capfd.readouterr()
        code = main(list(arguments))
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return hanbeon


@pytest.fixture
def provider(own_lake: SmallLake) -> Iterator[None]:
    """The identity provider of the lake's world answers over HTTP."""
    home = own_lake.run.settings.home_path
    server = serve_identity(home, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    endpoints.write(home / "agencies" / endpoints.FILE_NAME, endpoints.Endpoints(identity={ISSUER: url}))
    yield
    server.shutdown()
    server.server_close()


@pytest.fixture
def hanbeon(bare: Hanbeon, own_lake: SmallLake, monkeypatch: pytest.MonkeyPatch) -> Hanbeon:
    """Run a command on a small lake of the test's own."""
    return _on(own_lake, bare, monkeypatch)


@pytest.fixture
def refused(bare: Hanbeon, still_lake: SmallLake, monkeypatch: pytest.MonkeyPatch) -> Hanbeon:
    """Run a command that changes nothing, because it is refused."""
    return _on(still_lake, bare, monkeypatch)


def _on(lake: SmallLake, bare: Hanbeon, monkeypatch: pytest.MonkeyPatch) -> Hanbeon:
    monkeypatch.setenv("HANBEON_HOME__PATH", str(lake.run.settings.home_path))
    monkeypatch.setenv("HANBEON_LEDGER__DSN", lake.run.settings.ledger.dsn)
    return bare
