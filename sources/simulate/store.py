"""The world's own truth on disk: append-only Parquet, one file per table and day of change.

    home/agencies/world/base/<table>/000000.parquet        persons, households, employment, … as they are
    home/agencies/world/registers/<table>/000003.parquet   what a holder recorded on the world's third day

A row's newest version is the one of the latest day; nothing is ever edited. A register's header row and the lines of
the same version share `record_id` and `changed_at`, so a register can be read as it stood at any earlier instant.
`state.json` is written last: a day that was not finished is done again, with the same result.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from hanbeon.clock import now, seoul_date
from hanbeon.errors import DependencyDown
from schemas.contract import sources
from sources.simulate.populations import SUBJECTS
from sources.simulate.rates import BASE_INSTANT

BASE_KEYS = {
    "persons": "person_id",
    "households": "household_id",
    "corporations": "corporation_id",
    "purposes": "purpose_id",
    "officers": "officer_id",
    "insurance": "insurance_id",
    "incomes": "income_id",
    "disabilities": "disability_id",
}
# Registers and their repeating groups, named as published, and the register of each document type: every contract
# whose document the world holds.
_HELD = [c for c in sources() if c.table.document in SUBJECTS]
REGISTERS: Mapping[str, tuple[str, ...]] = {c.table.document: tuple(g.name for g in c.groups) for c in _HELD}
DOCUMENTS: Mapping[str, str] = {c.document_type: c.table.document for c in _HELD}
# Certificates that say how things are on the day of issue, and how many days they hold (지방세징수법 시행령 제7조,
# 국세징수법 시행령 제96조).
ISSUED_WHEN_ASKED: Mapping[str, int] = {"local_tax_clearance": 30, "national_tax_clearance": 30}
Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Instants:
    """Whose records to render, and when each changed last."""

    people: pl.DataFrame  # person_id, changed_at
    firms: pl.DataFrame  # corporation_id, changed_at


@dataclass(frozen=True)
class State:
    """Which world this is, and how far it has come. Day 0 ends at the base instant."""

    people: int
    seed: int
    day: int
    base_instant: str = BASE_INSTANT.isoformat()


def folder(home: Path) -> Path:
    return home / "agencies" / "world"


def read_state(home: Path) -> State:
    """Raises DependencyDown when no world is built there."""
    try:
        return State(**json.loads((folder(home) / "state.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DependencyDown("No world is built there. Run `hanbeon world build` first.") from error


def today(home: Path) -> date:
    """The world's own calendar day, in Seoul."""
    return seoul_date(BASE_INSTANT + timedelta(days=read_state(home).day))


def write_state(home: Path, state: State) -> None:
    draft = folder(home) / "state.json.part"
    draft.write_text(json.dumps(asdict(state)), encoding="utf-8")
    os.replace(draft, folder(home) / "state.json")


def register_tables(register: str) -> tuple[str, ...]:
    """A register's header table and its groups' tables."""
    return (register, *(f"{register}__{g}" for g in REGISTERS[register]))


def append(home: Path, kind: str, frames: Mapping[str, pl.DataFrame], day: int) -> None:
    """Write the rows that came or changed on a day. `kind` is `base` or `registers`."""
    for name, frame in frames.items():
        if day == 0 or len(frame):
            path = folder(home) / kind / name / f"{day:06}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".part")
            frame.write_parquet(draft, compression="lz4", statistics=False)
            os.replace(draft, path)


def _days(home: Path, kind: str, name: str, after: int, until: int) -> list[pl.DataFrame]:
    """Each frame with its `_day`."""
    found = sorted((folder(home) / kind / name).glob("*.parquet"))
    wanted = [p for p in found if after < int(p.stem) <= until]
    return [pl.read_parquet(p).with_columns(_day=pl.lit(int(p.stem), pl.Int32)) for p in wanted]


def base(home: Path) -> Frames:
    """The base tables as they are now, in the order of their ids."""
    day = read_state(home).day
    made = {}
    for name, key in BASE_KEYS.items():
        rows = pl.concat(_days(home, "base", name, -1, day))
        made[name] = rows.unique(key, keep="last", maintain_order=True).sort(key).drop("_day")
    return made


def register(home: Path, name: str, at: datetime | None = None) -> Frames:
    """Header and group tables of a register as it stands, or stood at `at` (inclusive); deleted records are in it.

    As it stands, a certificate that is issued when somebody asks bears the day of today, whatever the world's day is.
    """
    made = recorded(home, name, at)
    return made if at else {**made, name: issued_now(name, made[name])}


def issued_now(name: str, header: pl.DataFrame) -> pl.DataFrame:
    """The header of a register whose certificates are issued when somebody asks, as issued today; others as it is."""
    if name not in ISSUED_WHEN_ASKED:
        return header
    return header.with_columns(**{column: pl.lit(text) for column, text in days_of_issue(name).items()})


def days_of_issue(name: str) -> dict[str, str]:
    """Day of issue and last day, by official column, of a certificate that is issued today."""
    today = seoul_date(now())
    until = today + timedelta(days=ISSUED_WHEN_ASKED[name])
    return {"ISSU_YMD": f"{today:%Y%m%d}", "VLD_PRD_EXPRY_YMD": f"{until:%Y%m%d}"}


def recorded(home: Path, name: str, at: datetime | None = None) -> Frames:
    """The tables of a register as they were written down."""
    day = read_state(home).day
    headers = pl.concat(_days(home, "registers", name, -1, day))
    if at is not None:
        headers = headers.filter(pl.col("changed_at") <= at)
    if headers["_day"].max():
        headers = headers.sort("_day", maintain_order=True).unique("record_id", keep="last", maintain_order=True)
    made = {name: headers.drop("_day")}
    version = headers.select("record_id", "_day")
    for table in register_tables(name)[1:]:
        lines = pl.concat(_days(home, "registers", table, -1, day))
        if lines["_day"].max() or at is not None:
            lines = lines.join(version, on=["record_id", "_day"], how="semi", maintain_order="left")
        made[table] = lines.drop("_day")
    return made
