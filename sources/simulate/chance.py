"""Chance of the day: who an event happens to, where people move to, how insurance begins. Shared by the events."""

from datetime import datetime
from typing import Any

import numpy as np

from hanbeon.clock import seoul_date
from sources.simulate import persons, regions
from sources.simulate.draft import Draft, Row

TRIES = 60
Random = np.random.Generator


def years(row: Row, at: datetime) -> float:
    return float((seoul_date(at) - row["born"]).days / 365.25)


def draw(rng: Random, draft: Draft, table: str) -> Row:
    return draft.row(table, int(rng.integers(0, len(draft.tables[table]))))


def address(rng: Random) -> dict[str, Any]:
    places = regions.places()
    made = persons.addresses(rng, places, persons.draw_places(rng, places, 1))
    return {name: values[0] for name, values in made.items()}


def resident(rng: Random, draft: Draft, low: float, high: float, at: datetime, **equal: Any) -> Row | None:
    """A resident national of that age for whom the values hold."""
    for _ in range(TRIES):
        row = draw(rng, draft, "persons")
        is_fit = row["household_id"] is not None and row["nationality"] is None and low <= years(row, at) < high
        if is_fit and all(row[c] == v for c, v in equal.items()):
            return row
    return None


def running_insurance(draft: Draft, person_id: int) -> Row | None:
    """The period of insurance that runs now."""
    running = [r for r in draft.find("insurance", person_id=person_id) if r["lost"] is None]
    return running[-1] if running else None


def insure(draft: Draft, at: datetime, person_id: int, kind: str, insurer: Row | None, head_id: int | None) -> None:
    """Begin a period: as a dependant of `insurer`, or as a local member under the householder."""
    draft.add(
        "insurance",
        at,
        person_id=person_id,
        kind=kind,
        corporation_id=insurer["corporation_id"] if insurer else None,
        acquired=seoul_date(at),
        lost=None,
        subscriber_id=insurer["person_id"] if insurer else (head_id if kind == "6" else person_id),
    )
