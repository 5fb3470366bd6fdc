"""The world of agencies: build it, move it on, say where it stands.

    build(home, people, seed)   the same content for the same people and seed, whatever the day
    advance(home, days)         moves, births, marriages, deaths, corrections: the same for the same seed and day number
    state(home)                 how many people, which seed, which day

Everything lies under `home/agencies`: `world/` (truth), `postgres/`, `nhis/outbox/`. Try it:
`python -c "from pathlib import Path; from sources.simulate.world import build; print(build(Path('var'), 2000, 1))"`
"""

import shutil
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from hanbeon.clock import seoul_date
from hanbeon.errors import UsageError
from sources.simulate import (
    corporations,
    households,
    kin,
    livelihood,
    nightly,
    persons,
    postgres,
    rates,
    regions,
    store,
)
from sources.simulate.advance import advance
from sources.simulate.registers import render
from sources.simulate.store import Frames, Instants, State

RENDERED_AHEAD = 1  # registers that wait in memory while their holder takes one

__all__ = ["WorldReport", "advance", "build", "state"]


@dataclass(frozen=True)
class WorldReport:
    """What was built, as counts: records by document type."""

    people: int
    households: int
    seed: int
    day: int
    records: Mapping[str, int]


def state(home: Path) -> State:
    """Raises DependencyDown when no world is built there."""
    return store.read_state(home)


def build(home: Path, people: int, seed: int, dsn: str = "") -> WorldReport:
    """Make the world anew. `dsn` names a PostgreSQL server to use instead of the embedded one."""
    if people < 50:
        raise UsageError("A world needs 50 people or more, so that families, firms and ages fit together.")
    shutil.rmtree(store.folder(home), ignore_errors=True)
    for file in nightly.FILES:
        shutil.rmtree(nightly.outbox(home, file.holder), ignore_errors=True)
    tables = generate(people, seed)
    store.append(home, "base", _base(tables), 0)
    counts, waiting = {}, deque[Future[None]]()
    with ThreadPoolExecutor(1) as pool, postgres.server(home, dsn) as running:
        postgres.make_reader(running, home)
        for name in postgres.DATABASES:
            postgres.clear(running, name)
        for register, frames in rendered(tables):
            counts[register] = len(frames[register])
            waiting.append(pool.submit(_deliver, home, running, register, frames))
            if len(waiting) > RENDERED_AHEAD:
                waiting.popleft().result()
        for delivery in waiting:
            delivery.result()
    store.write_state(home, State(people, seed, 0))
    records = {document: counts[name] for document, name in store.DOCUMENTS.items()}
    return WorldReport(people, len(tables["households"]), seed, 0, records)


def write(home: Path, people: int, seed: int) -> None:
    """The truth of a world alone: no holder serves it."""
    tables = generate(people, seed)
    store.append(home, "base", _base(tables), 0)
    for _, frames in rendered(tables):
        store.append(home, "registers", frames, 0)
    store.write_state(home, State(people, seed, 0))


def rendered(tables: Frames) -> Iterator[tuple[str, Frames]]:
    """Each register's tables, one register after the other, since all together take gigabytes."""
    for name in store.REGISTERS:
        yield name, render(_base(tables), name, first_instants(tables, tables["recent"], name))


def _base(tables: Frames) -> Frames:
    return {name: tables[name] for name in store.BASE_KEYS}


def _deliver(home: Path, dsn: str, register: str, frames: Frames) -> None:
    """A register's truth on disk, and its holder's own copy: a database, a nightly file. The others read the truth."""
    store.append(home, "registers", frames, 0)
    for agency in postgres.AGENCIES:
        if agency.register == register:
            postgres.load(dsn, agency, frames)
    for file in nightly.FILES:
        if file.register == register:
            nightly.publish(home, file, seoul_date(rates.BASE_INSTANT), frames)


def generate(people: int, seed: int) -> Frames:
    """The base tables, each row with the instant of its change; and `recent`: which records changed lately."""
    rng = np.random.default_rng([seed, people])
    places = regions.places()
    slots = households.draw(rng, people)
    relations = kin.relate(rng, slots)
    everybody = persons.persons(rng, slots, relations, places)
    firms = corporations.corporations(rng, people, places)
    working = livelihood.work(rng, everybody, firms)
    incomes = livelihood.incomes(rng, working, firms)
    late = incomes["person_id"].unique(maintain_order=True)
    is_late = rng.random(len(late)) < rates.HARD_CASES["late_correction"]
    tables = {
        "persons": everybody,
        "households": persons.households(rng, slots, relations, places),
        "corporations": firms,
        "purposes": corporations.purposes(rng, firms),
        "officers": corporations.officers(rng, firms, everybody),
        "insurance": livelihood.insurance(rng, working, everybody),
        "incomes": incomes,
        "disabilities": livelihood.disabilities(rng, everybody),
    }
    made = {n: t.with_columns(changed_at=_instant(pl.col(store.BASE_KEYS[n]), len(n), None)) for n, t in tables.items()}
    reported = working.filter("is_late").select("person_id", register=pl.lit("health_insurance_history"))
    corrected = pl.DataFrame({"person_id": late.filter(is_late)}).with_columns(register=pl.lit("income_certificate"))
    return made | {"recent": pl.concat([reported, corrected])}


def first_instants(tables: Frames, recent: pl.DataFrame, name: str) -> Instants:
    """When each record of a register changed last before the base instant, in whole seconds."""
    lately = recent.filter(pl.col("register") == name)["person_id"]
    people = pl.col("person_id")
    firms = pl.col("corporation_id")
    return Instants(
        people=tables["persons"].select(people, changed_at=_instant(people, len(name), people.is_in(lately.implode()))),
        firms=tables["corporations"].select(firms, changed_at=_instant(firms, len(name), None)),
    )


def _instant(key: pl.Expr, salt: int, is_recent: pl.Expr | None) -> pl.Expr:
    mixed = key.cast(pl.Int64) * 2_654_435_761 + salt * 40_503
    spread = mixed % (rates.FIRST_CHANGES_DAYS * 86_400)
    if is_recent is not None:
        spread = pl.when(is_recent).then(mixed % (rates.LATE_CHANGES_DAYS * 86_400)).otherwise(spread)
    base = pl.lit(rates.BASE_INSTANT).cast(pl.Datetime("us", "UTC"))
    return base - pl.duration(seconds=spread)
