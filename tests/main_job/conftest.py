"""A whole small country: its agencies up, the demonstration's consents in the ledger, the main job run once."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from hanbeon import clock, demo
from hanbeon.settings import HomeSettings, Settings, SourceSettings
from pipeline.run import Run, open_run
from pipeline.summary import Summary
from pipeline.verbs import run_every_step
from schemas.contract import Contract, source, sources
from schemas.services import service
from sources.simulate import world
from sources.simulate.candidates import candidates
from sources.simulate.serve import serve

PEOPLE, SEED = 400, 7
AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Country:
    """An open run on a home whose agencies answer."""

    run: Run
    settings: Settings
    home: Path
    summaries: list[Summary]
    pulled: list[Contract]

    def again(self, run_id: str) -> list[Summary]:
        return run_every_step(replace(self.run, run_id=run_id), pulled=self.pulled)

    def run_as(self, run_id: str) -> Run:
        return replace(self.run, run_id=run_id)


def settings_of(home: Path) -> Settings:
    return Settings(home=HomeSettings(str(home)), sources=SourceSettings(retries=1, timeout_seconds=10))


# Whose applications are enough where a test is about the way of the data, not about every document.
FEW_SERVICES = ("SINGLE_PARENT", "DISABILITY_PENSION", "NHIS_WORKPLACE", "ECREG_PROPERTY", "HOUSING_SUBSCRIPTION")


def few_candidates(home: Path) -> pa.Table:
    found = candidates(home)
    return found.filter(pc.is_in(found.column("service"), value_set=pa.array(FEW_SERVICES)))


def documents_of(services: Sequence[str]) -> list[Contract]:
    """The source contracts of everything that these services take as data."""
    return [source(d) for d in sorted({r.document_type for s in services for r in service(s).data_requirements})]


def far_from_midnight() -> Callable[[], datetime]:
    """The real clock, set forward when a day of Seoul ends soon: a use counts by day, and a second run uses nothing."""
    began = clock.now()
    late = clock.seoul_date(began + AN_HOUR) != clock.seoul_date(began)
    return lambda: clock.now() + (AN_HOUR if late else timedelta())


def few_steps(run: Run) -> list[Summary]:
    """The main job, but for the datasets that the few services do not look at."""
    return run_every_step(run, pulled=documents_of(FEW_SERVICES))


@contextmanager
def country(home: Path, applying: Callable[[Path], pa.Table], pulled: Sequence[Contract]) -> Iterator[Country]:
    settings = settings_of(home)
    world.build(home, PEOPLE, SEED)
    with serve(home), open_run(settings, "first", far_from_midnight()) as run:
        demo.consents(run, applying(home), run.at())
        yield Country(run, settings, home, run_every_step(run, pulled=pulled), list(pulled))


@pytest.fixture(scope="module")
def korea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    with country(tmp_path_factory.mktemp("country"), few_candidates, documents_of(FEW_SERVICES)) as found:
        yield found


@pytest.fixture(scope="module")
def whole_korea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    """The same with applications for every service, for tests about every document."""
    with country(tmp_path_factory.mktemp("whole"), candidates, sources()) as found:
        yield found
