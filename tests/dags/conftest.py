"""A small world with consents, and who is left running. Airflow is imported in processes of its own, never here: it
changes logging for everybody."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from hanbeon import clock, demo
from hanbeon.postgres import ledger_dsn
from hanbeon.settings import HomeSettings, Settings, WorldSettings
from pipeline.run import open_run
from sources.simulate import world
from sources.simulate.store import base
from tests.main_job.conftest import few_candidates

PEOPLE = 200


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with a built world of 200 people, their applications and their consents; nothing runs yet."""
    home = tmp_path_factory.mktemp("home")
    made = Settings(home=HomeSettings(str(home)), world=WorldSettings(people=PEOPLE))
    world.build(home, PEOPLE, seed=1)
    with ledger_dsn(made), open_run(made, "consents") as run:
        staged = demo.consents(run, few_candidates(home), clock.now())
    assert staged.authorisations
    return made


@contextmanager
def environment_of(settings: Settings) -> Iterator[dict[str, str]]:
    """The environment of a command that works on this home."""
    yield {**os.environ, "HANBEON_HOME__PATH": str(settings.home_path), "HANBEON_WORLD__PEOPLE": str(PEOPLE)}


def survivors(home: Path) -> list[str]:
    """Processes that belong to this home: it stands in their command or their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                words = [*process.cmdline(), *process.environ().values()]
                if any(str(home) in word for word in words):
                    found.append(f"{process.pid} {' '.join(process.cmdline())[:100]}")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def identifiers(home: Path) -> set[bytes]:
    """Every identifier of every person and corporation of the world, as bytes."""
    tables = base(home)
    people, firms = tables["persons"]["rrn"].to_list(), tables["corporations"]["crn"].to_list()
    return {str(i).encode() for i in [*people, *firms] if i}


def personal_values_in(folder: Path, home: Path) -> list[str]:
    """Files under the folder that hold an identifier of the world, whole or cut after the sixth digit (P8)."""
    values = identifiers(home)
    values |= {v[:6] + b"-" + v[6:] for v in values}
    return [str(p) for p in folder.rglob("*") if p.is_file() and any(v in p.read_bytes() for v in values)]
