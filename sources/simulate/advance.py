"""Days pass: events change the base tables, registers follow, and every agency shows the same new state.

The same people, seed and day number give the same events. Whose record may have changed is rendered anew and compared
with what the register holds; only what differs gets a new version, with the instant of the event that changed it. A
record that is no longer there gets a tombstone. The state file moves last: an advance that was killed is done again.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from hanbeon.clock import seoul_date
from hanbeon.errors import UsageError
from sources.simulate import nightly, postgres, rates, store
from sources.simulate.draft import Draft
from sources.simulate.events import EVENTS
from sources.simulate.populations import FIRMS, PEOPLE, SUBJECTS, first_firm
from sources.simulate.registers import render
from sources.simulate.store import Frames, Instants, State

ATTEMPTS = 8  # at an event, until it finds somebody fit
NOT_COMPARED = ("record_id", "changed_at", "is_deleted", "ISSU_NO", "ISSU_YMD")
_PREFIX = {name: document[:2] for document, name in store.DOCUMENTS.items()}


def advance(home: Path, days: int, dsn: str = "") -> State:
    """Move the world on by `days`. Out: where it stands now."""
    if days < 1:
        raise UsageError("A world advances by one day or more.")
    before = store.read_state(home)
    draft = Draft(store.base(home))
    held = {name: store.recorded(home, name) for name in store.REGISTERS}
    new: dict[str, set[str]] = {name: set() for name in store.REGISTERS}
    for day in range(before.day + 1, before.day + days + 1):
        for name, changed in _pass(home, before, day, draft, held).items():
            held[name] = _merged(name, held[name], changed)
            new[name] |= set(changed[name]["record_id"])
    after = replace(before, day=before.day + days)
    with postgres.server(home, dsn) as running:
        for agency in postgres.AGENCIES:
            tables = _only(held[agency.register], new[agency.register])
            tables[agency.register] = store.issued_now(agency.register, tables[agency.register])
            postgres.upsert(running, agency, tables)
    night = seoul_date(rates.BASE_INSTANT + timedelta(days=after.day))
    for file in nightly.FILES:
        nightly.publish(home, file, night, held[file.register])
    store.write_state(home, after)
    return after


def _pass(home: Path, state: State, day: int, draft: Draft, held: Mapping[str, Frames]) -> dict[str, Frames]:
    """One day: events, then the base rows and register versions that they made, written under the day's number."""
    fresh = Draft(draft.tables)
    rng = np.random.default_rng([state.seed, state.people, day])
    counts = {kind: max(1, int(rng.poisson(rate * state.people / 1_000))) for kind, rate in rates.EVENTS.items()}
    kinds = np.repeat(list(counts), list(counts.values()))
    rng.shuffle(kinds)
    seconds = np.sort(rng.choice(86_400, len(kinds), replace=False)) + 1
    start = rates.BASE_INSTANT + timedelta(days=day - 1)
    for kind, second in zip(kinds, seconds, strict=True):
        at = start + timedelta(seconds=int(second))
        any(EVENTS[str(kind)](rng, fresh, at) for _ in range(ATTEMPTS))
    store.append(home, "base", fresh.settle(), day)
    draft.tables = fresh.tables
    made = {}
    for name in store.REGISTERS:
        made[name] = _versions(name, fresh, held[name])
        store.append(home, "registers", made[name], day)
    return made


def _versions(name: str, draft: Draft, held: Frames) -> Frames:
    """New versions of the records whose content the day changed, tombstones included."""
    is_about = SUBJECTS[name]
    people = draft.touched if PEOPLE in is_about else {}
    firms = draft.touched_firms if FIRMS in is_about else {}
    instants = Instants(_instants("person_id", people), _instants("corporation_id", firms))
    numbers = dict(sorted(people.items())) | {first_firm(name) + i: at for i, at in sorted(firms.items())}
    at = pl.DataFrame(
        {"record_id": [f"{_PREFIX[name]}{i + 1:011}" for i in numbers], "changed_at": list(numbers.values())},
        schema={"record_id": pl.String, "changed_at": pl.Datetime("us", "UTC")},
    )
    records = at.select("record_id")
    rendered = render(draft.tables, name, instants)
    before = {t: f.join(records, on="record_id", how="semi", maintain_order="left") for t, f in held.items()}
    before[name] = before[name].filter(~pl.col("is_deleted"))
    old, new = _contents(name, before), _contents(name, rendered)
    changed = _only(rendered, {r for r in new if new[r] != old.get(r)})
    gone = before[name].filter(pl.col("record_id").is_in(sorted(set(old) - set(new))))
    gone = gone.drop("changed_at").join(at, on="record_id", maintain_order="left")
    gone = gone.with_columns(is_deleted=pl.lit(True)).select(changed[name].columns)
    return changed | {name: pl.concat([changed[name], gone])}


def _instants(key: str, touched: Mapping[int, datetime]) -> pl.DataFrame:
    ids = sorted(touched)
    return pl.DataFrame(
        {key: ids, "changed_at": [touched[i] for i in ids]},
        schema={key: pl.Int32, "changed_at": pl.Datetime("us", "UTC")},
    )


def _contents(name: str, tables: Frames) -> dict[str, tuple[object, ...]]:
    """What each record says, lines included, in a form that compares."""
    header = tables[name].drop(c for c in NOT_COMPARED if c != "record_id")
    said = {r: tuple(rows) for r, rows in header.rows_by_key("record_id").items()}
    for table in store.register_tables(name)[1:]:
        lines = tables[table].sort("record_id", "line_no").drop("changed_at").rows_by_key("record_id")
        said = {r: (*content, tuple(lines.get(r, ()))) for r, content in said.items()}
    return said


def _only(tables: Frames, records: set[str]) -> Frames:
    wanted = pl.DataFrame({"record_id": sorted(records)}, schema={"record_id": pl.String})
    return {t: f.join(wanted, on="record_id", how="semi", maintain_order="left") for t, f in tables.items()}


def _merged(name: str, held: Frames, changed: Frames) -> Frames:
    records = changed[name].select("record_id")
    return {
        t: pl.concat([f.join(records, on="record_id", how="anti", maintain_order="left"), changed[t]])
        for t, f in held.items()
    }
